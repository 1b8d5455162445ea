import * as z from 'zod';
import { DRAW_PROBABILITY_MIN, type LabelQueuePlan } from '../core/drawn-loss.ts';
import type { LabelPlan } from '../core/label-evidence.ts';
import type { LabelAuthority } from '../core/label-source.ts';
import { durationText } from '../core/text.ts';
import { callerName } from './caller-name.ts';
import { DEFAULTS } from './defaults.ts';
import { expected, section } from './expected.ts';
import { byteSize, duration, whole } from './quantities.ts';

/** A model's `labels` section, complete: which labels are taken, and when they are evidence. */
export type LabelsSetting = Pick<LabelPlan, 'selection'> & {
  /** Milliseconds; undefined: labels are taken and prove nothing. */
  readonly windowMs: number | undefined;
  /** How the queue draws; absent but for `selection: drawn`. */
  readonly queue?: LabelQueuePlan;
  readonly from: LabelAuthority;
  readonly callers: { readonly perSecondMax: number; readonly labelsMax: number };
  /** Of the requests that wait for their window to end. */
  readonly storeBytesMax: number;
};

const { labels } = DEFAULTS.model;

const WINDOW_MS_MAX = 90 * 86_400_000;

/** One entry's worth of disk and memory. */
const STORE_BYTES_MIN = 65_536;

/** More callers than this are a mistake: a role is for so many. */
const CALLERS_MAX = 100;

const anAuthority = expected('any, admin, role:label, or a list of callers such as [key:raters]');

const callers = z.array(callerName, { error: anAuthority }).min(1).max(CALLERS_MAX);

const aProbability = expected('1, or a power of two below it such as 0.5 or 0.25, at least 1/1024');

/** A power of two, so that differences over it stay exact. */
const probability = z
  .number({ error: aProbability })
  .refine((value) => value >= DRAW_PROBABILITY_MIN && value <= 1, { error: aProbability })
  .refine((value) => Number.isInteger(Math.log2(value)), { error: aProbability });

const queueSchema = section({
  probability: probability.default(labels.queue.probability),
  minProbability: probability.optional(),
}).transform(
  (asked): LabelQueuePlan => ({
    probability: asked.probability,
    minProbability: asked.minProbability ?? asked.probability,
  }),
);

export const labelsSchema = section({
  window: duration
    .refine((ms) => ms <= WINDOW_MS_MAX, { error: expected('a duration of at most 90d') })
    .optional(),
  selection: z
    .enum(['arrival', 'random', 'drawn'], { error: expected('arrival, random or drawn') })
    .default(labels.selection),
  queue: queueSchema.optional(),
  from: z
    .union([z.enum(['any', 'admin', 'role:label']), callers], { error: anAuthority })
    .default(labels.from),
  callerPerSecond: whole({ min: 1, max: 1_000_000 }, 'labels').default(labels.callerPerSecond),
  callerMax: whole({ min: 1, max: 1_000_000_000 }, 'labels').default(labels.callerMax),
  storeMax: byteSize
    .refine((bytes) => bytes >= STORE_BYTES_MIN, { error: expected('at least 64KiB') })
    .prefault(labels.storeMax),
})
  .prefault({})
  .superRefine((asked, context) => {
    for (const [key, message] of queueProblems(asked))
      context.addIssue({ code: 'custom', message, path: [key] });
  })
  .transform(
    ({ window, selection, queue, from, callerPerSecond, callerMax, storeMax }): LabelsSetting => ({
      windowMs: window,
      selection,
      ...(selection === 'drawn' && { queue: queue ?? queueSchema.parse({}) }),
      from,
      callers: { perSecondMax: callerPerSecond, labelsMax: callerMax },
      storeBytesMax: storeMax,
    }),
  );

type Queued = {
  readonly window?: number | undefined;
  readonly selection: LabelPlan['selection'];
  readonly queue?: LabelQueuePlan | undefined;
};

function queueProblems({
  window,
  selection,
  queue,
}: Queued): readonly (readonly [string, string])[] {
  if (selection !== 'drawn')
    return queue === undefined
      ? []
      : [['queue', `expected selection: drawn with it, found ${selection}`]];
  if (window === undefined)
    return [['window', 'expected the time in which a drawn answer gets its label, found nothing']];
  if (queue !== undefined && queue.minProbability > queue.probability) {
    const { minProbability, probability: most } = queue;
    return [
      [
        'queue',
        `expected minProbability of at most probability (${most}), found ${minProbability}`,
      ],
    ];
  }
  return [];
}

/** Why no label could be evidence within a rollout, in a sentence; undefined: labels can. Milliseconds. */
export function whyNotOutlasted(
  windowMs: number | undefined,
  maxDurationMs: number,
): string | undefined {
  if (windowMs === undefined || maxDurationMs > windowMs) return undefined;
  return `expected more than labels.window (${durationText(windowMs)}), found ${durationText(maxDurationMs)}: no label would count before the rollout is out of time`;
}
