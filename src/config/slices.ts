import * as z from 'zod';
import { type Slice, sliceKey } from '../core/evidence.ts';
import type { MetricName } from '../core/verdict.ts';
import { expected } from './expected.ts';

/** A slice as written: attributes with their values, whether it gates (`true` where it does not say), and which metrics. */
export type WrittenSlice = Readonly<
  Record<string, string | boolean | readonly SlicedMetric[] | undefined>
>;

/** The metrics that a slice can gate. */
const SLICED = [
  'labelledLoss',
  'disagreement',
  'pairedErrors',
  'errors',
] as const satisfies readonly MetricName[];

type SlicedMetric = (typeof SLICED)[number];

/** Each that gates takes its part of the error budget. */
const GATING_MAX = 16;

/** Each is counted, kept in the evidence and shown. */
const REPORTED_MAX = 32;

/** The key that is no attribute, where its value is no text. */
const GATE = 'gate';
const METRICS = 'metrics';

const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

const value = z.string({ error: expected('a value in quotes') }).regex(/^[^,=]{1,100}$/, {
  error: expected('a value without commas and equals signs'),
});

const NAMES = SLICED.join(', ');

const metrics = z.array(z.enum(SLICED, { error: expected(`one of ${NAMES}`) })).min(1, {
  error: `expected at least one of ${NAMES}; a slice that gates nothing is gate: false`,
});

const sliceSchema = z
  .object(
    {
      [GATE]: z.union([z.boolean(), value], { error: expected('true or false') }).optional(),
      [METRICS]: z.union([metrics, value], { error: expected(`a list of ${NAMES}`) }).optional(),
    },
    { error: expected('attributes and values, such as { tone: dark }') },
  )
  .catchall(value)
  .superRefine((slice, context) => {
    for (const name of Object.keys(slice)) {
      if (NAME.test(name)) continue;
      const message = expected('an attribute name: letters, digits, - and _')({ input: name });
      context.addIssue({ code: 'custom', path: [name], message });
    }
    if (!gates(slice) && metricsOf(slice) !== undefined) {
      const message = 'expected no metrics beside gate: false: such a slice gates none';
      context.addIssue({ code: 'custom', path: [METRICS], message });
    }
    if (Object.keys(attributesOf(slice)).length === 0)
      context.addIssue({ code: 'custom', message: 'expected at least one attribute' });
  });

/** The list of slices of a rollout. */
export const slicesSchema = z
  .array(sliceSchema, { error: expected('a list') })
  .superRefine((slices, context) => {
    for (const [kind, count, most] of [
      ['that gate', gatingOf(slices).length, GATING_MAX],
      ['that are only reported (gate: false)', reportedOf(slices).length, REPORTED_MAX],
    ] as const) {
      if (count <= most) continue;
      const message = `expected at most ${most} slices ${kind}, found ${count}`;
      context.addIssue({ code: 'custom', message });
    }
  });

/** Those that a rollout is judged on. */
export function gatingOf(slices: readonly WrittenSlice[]): readonly Slice[] {
  return slices.filter(gates).map(attributesOf);
}

/** The metrics that are gated in the slices that name some, by `sliceKey`; those of entries for one slice together. */
export function metricsBySlice(
  slices: readonly WrittenSlice[],
): Readonly<Record<string, readonly MetricName[]>> {
  const named = new Map<string, ReadonlySet<MetricName>>();
  for (const slice of slices.some(metricsOf) ? slices.filter(gates) : []) {
    const key = sliceKey(attributesOf(slice));
    named.set(key, new Set([...(named.get(key) ?? []), ...(metricsOf(slice) ?? DEFAULT)]));
  }
  return Object.fromEntries([...named].map(([key, metrics]) => [key, [...metrics]]));
}

/** Of a slice that names none. */
const DEFAULT: readonly MetricName[] = ['labelledLoss'];

/** Names the metrics of slices that no analysis measures: nothing would ever be gated by them. */
export function unmeasuredSlices(
  slices: readonly WrittenSlice[],
  measured: ReadonlySet<MetricName>,
): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  return slices.flatMap((slice, index) =>
    (metricsOf(slice) ?? []).flatMap((metric, at) =>
      measured.has(metric)
        ? []
        : {
            path: ['slices', index, METRICS, at],
            message: `expected a metric that an analysis step names, found ${metric}`,
          },
    ),
  );
}

function metricsOf(slice: WrittenSlice): readonly SlicedMetric[] | undefined {
  const { [METRICS]: named } = slice;
  return typeof named === 'object' ? named : undefined;
}

/** Those that are shown, and decide nothing. One that gates as well is shown already. */
export function reportedOf(slices: readonly WrittenSlice[]): readonly Slice[] {
  const gating = new Set(gatingOf(slices).map(sliceKey));
  const reported = slices.filter((slice) => !gates(slice)).map(attributesOf);
  const distinct = new Map(reported.map((slice) => [sliceKey(slice), slice]));
  return [...distinct].filter(([key]) => !gating.has(key)).map(([, slice]) => slice);
}

/** Names the slices that ask for an attribute which no request will carry. They would stay empty for ever. */
export function undeclaredSlices(
  slices: readonly WrittenSlice[],
  declared: readonly string[],
): readonly { readonly index: number; readonly attribute: string; readonly message: string }[] {
  return slices.flatMap((slice, index) =>
    Object.keys(attributesOf(slice))
      .filter((attribute) => !declared.includes(attribute))
      .map((attribute) => ({
        index,
        attribute,
        message:
          `expected an attribute that the model declares ` +
          `(${declared.join(', ') || 'it declares none'}), found "${attribute}"`,
      })),
  );
}

function gates(slice: WrittenSlice): boolean {
  return slice[GATE] !== false;
}

function attributesOf(slice: WrittenSlice): Slice {
  const attributes = Object.entries(slice).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
  return Object.fromEntries(attributes);
}
