import { type ComparatorSetting, mergedSetting } from '../core/comparator-setting.ts';
import {
  DEFAULT_UNIT,
  type Margins,
  pairedErrorsClaim,
  type RolloutSpec,
  RULES_VERSION,
} from '../core/rollout.ts';
import type { UnitRule } from '../core/unit.ts';
import type { MetricName } from '../core/verdict.ts';
import { checked, invalidInput } from './checked.ts';
import { DEFAULT_MARGINS, DEFAULTS, defaultSteps } from './defaults.ts';
import { section } from './expected.ts';
import { type LabelsSetting, whyNotOutlasted } from './labels-section.ts';
import { version } from './quantities.ts';
import {
  MAX_DURATION_MS,
  type PartialMargins,
  type RolloutSection,
  rolloutKeys,
} from './rollout-section.ts';
import {
  gatingOf,
  metricsBySlice,
  reportedOf,
  undeclaredSlices,
  unmeasuredSlices,
  type WrittenSlice,
} from './slices.ts';
import { specProblems, timeProblems } from './spec-problems.ts';

/** A request to start a rollout. What it leaves out comes from the file, then from the defaults. */
export type RolloutRequest = { readonly candidate: string; readonly overrides: RolloutSection };

const requestSchema = section({ candidate: version, ...rolloutKeys }, 'a JSON object');

/**
 * Checks the body of a request to start a rollout: a candidate and any keys of the `rollout` section.
 *
 * @throws ServeError `invalid_input` that names every problem.
 */
export function parseRolloutRequest(body: unknown): RolloutRequest {
  const { candidate, ...overrides } = checked(requestSchema, body, 'the body');
  return { candidate, overrides };
}

export type RolloutSpecOptions = {
  readonly model: string;
  readonly stable: string;
  readonly candidate: string;
  /** Go before what the section says, key by key; margins and error budget part by part. */
  readonly overrides?: RolloutSection | undefined;
  /** The model's, which tell when its labels are evidence. */
  readonly labels?: Pick<LabelsSetting, 'windowMs' | 'selection' | 'queue'> | undefined;
  /** The model's; what the rollout says goes before it. */
  readonly compare?: ComparatorSetting | undefined;
  /** The attributes that the model declares: slices may use no others. */
  readonly attributes: readonly string[];
};

/**
 * The whole specification of a rollout but for its salt: the section of the file, the request's overrides, the defaults.
 *
 * @throws ServeError `invalid_input` for a candidate that is stable already, a slice on an undeclared attribute, or steps that
 *   can never prove the claim.
 */
export function rolloutSpecFrom(
  written: RolloutSection,
  { model, stable, candidate, overrides = {}, labels, compare, attributes }: RolloutSpecOptions,
): Omit<RolloutSpec, 'salt'> {
  const asked: RolloutSection = { ...written, ...defined(overrides) };
  const intent = asked.intent ?? DEFAULTS.rollout.intent;
  const margins = marginsFrom(written.margins, overrides.margins);
  const errorBudget = {
    ...DEFAULTS.rollout.errorBudget,
    ...defined(written.errorBudget),
    ...defined(overrides.errorBudget),
  };
  const slices = asked.slices ?? [];
  const { expectedDisagreement } = asked;
  const claim = asked.claim ?? DEFAULTS.rollout.claim;
  const steps = asked.steps ?? defaultSteps(intent);
  const maxDurationMs = asked.maxDuration ?? MAX_DURATION_MS;
  const undeclared = undeclaredSlices(slices, attributes).map(({ index, attribute, message }) => ({
    path: ['slices', index, attribute],
    message,
  }));
  const minDurationMs = asked.minDuration ?? MIN_DURATION_MS;
  const problems = [
    ...undeclared,
    ...unmeasuredSlices(slices, measuredBy(steps)),
    ...specProblems({ intent, claim, expectedDisagreement, steps }),
    ...timeProblems({ steps, minDurationMs, maxDurationMs }),
  ];
  const late = whyNotOutlasted(labels?.windowMs, maxDurationMs);
  if (late !== undefined) problems.push({ path: ['maxDuration'], message: late });
  if (candidate === stable) {
    const message = `expected another version than stable, found "${candidate}"`;
    problems.push({ path: ['candidate'], message });
  }
  if (problems.length > 0) throw invalidInput(problems, 'the body');
  return {
    model,
    stable,
    candidate,
    intent,
    claim,
    slices: gatingOf(slices),
    ...reportedSlices(slices),
    ...sliceMetrics(slices),
    margins,
    errorBudget,
    minRequests: asked.minRequests ?? DEFAULTS.rollout.minRequests,
    minDurationMs,
    expectedDisagreement,
    onInconclusive: asked.onInconclusive ?? DEFAULTS.rollout.onInconclusive,
    maxDurationMs,
    ...(asked.maxSamples !== undefined && { maxSamples: asked.maxSamples }),
    steps,
    unit: unitFrom(written.unit, overrides.unit),
    anchorShare: overrides.anchor?.share ?? written.anchor?.share ?? DEFAULTS.rollout.anchor.share,
    rules: RULES_VERSION,
    ...labelsOf(labels),
    ...comparedAs(mergedSetting(mergedSetting(compare, written.compare), overrides.compare)),
  };
}

const MIN_DURATION_MS = rolloutKeys.minDuration.unwrap().parse(DEFAULTS.rollout.minDuration);

/** Absent where there are none, as in specifications of before. */
function reportedSlices(slices: readonly WrittenSlice[]): Pick<RolloutSpec, 'reportedSlices'> {
  const reported = reportedOf(slices);
  return reported.length === 0 ? {} : { reportedSlices: reported };
}

/** Absent where no slice names any, as in specifications of before. */
function sliceMetrics(slices: readonly WrittenSlice[]): Pick<RolloutSpec, 'sliceMetrics'> {
  const named = metricsBySlice(slices);
  return Object.keys(named).length === 0 ? {} : { sliceMetrics: named };
}

function measuredBy(steps: RolloutSpec['steps']): ReadonlySet<MetricName> {
  return new Set(
    steps.flatMap((step) => (step.kind === 'analysis' ? [...step.require, ...step.reject] : [])),
  );
}

/** Without a declared window labels prove nothing, and the spec has none. */
function labelsOf(labels: RolloutSpecOptions['labels']): Pick<RolloutSpec, 'labels'> {
  if (labels?.windowMs === undefined) return {};
  const { windowMs, selection, queue } = labels;
  return { labels: { windowMs, selection, ...(queue && { queue }) } };
}

/** Absent where only the package says how. */
function comparedAs(compare: ComparatorSetting | undefined): Pick<RolloutSpec, 'compare'> {
  return compare === undefined ? {} : { compare };
}

/** Later ones win, part by part. */
function unitFrom(...layers: readonly RolloutSection['unit'][]): UnitRule {
  return layers.reduce<UnitRule>(
    (unit, layer) => ({
      requests: layer?.requests ?? unit.requests,
      windowMs: layer?.window ?? unit.windowMs,
    }),
    DEFAULT_UNIT,
  );
}

/** Later ones win, part by part. */
function marginsFrom(...layers: readonly (PartialMargins | undefined)[]): Margins {
  return layers.reduce<Margins>(
    (margins, layer = {}) => ({
      disagreement: layer.disagreement ?? margins.disagreement,
      pairedErrors: pairedErrorsFrom(layer.pairedErrors, pairedErrorsClaim(margins)),
      labelledLoss: layer.labelledLoss ?? margins.labelledLoss,
      pairedLatency: { ...margins.pairedLatency, ...defined(layer.pairedLatency) },
      errors: { ...margins.errors, ...defined(layer.errors) },
      slowRequests: { ...margins.slowRequests, ...defined(layer.slowRequests) },
    }),
    DEFAULT_MARGINS,
  );
}

function pairedErrorsFrom(
  written: PartialMargins['pairedErrors'],
  before: ReturnType<typeof pairedErrorsClaim>,
): Margins['pairedErrors'] {
  if (typeof written === 'number') return pairedErrorsClaim({ pairedErrors: written });
  return { ...before, ...defined(written) };
}

type Defined<Parts> = { [Name in keyof Parts]?: Exclude<Parts[Name], undefined> };

/** Without the parts that are undefined, so that spreading it overrides only what is written. */
function defined<Parts extends object>(parts: Parts | undefined): Defined<Parts> {
  const written = Object.entries(parts ?? {}).filter(([, part]) => part !== undefined);
  return Object.fromEntries(written) as Defined<Parts>;
}
