import * as z from 'zod';
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

export const labelsSchema = section({
  window: duration
    .refine((ms) => ms <= WINDOW_MS_MAX, { error: expected('a duration of at most 90d') })
    .optional(),
  selection: z
    .enum(['arrival', 'random'], { error: expected('arrival or random') })
    .default(labels.selection),
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
  .transform(
    ({ window, selection, from, callerPerSecond, callerMax, storeMax }): LabelsSetting => ({
      windowMs: window,
      selection,
      from,
      callers: { perSecondMax: callerPerSecond, labelsMax: callerMax },
      storeBytesMax: storeMax,
    }),
  );

/** Why no label could be evidence within a rollout, in a sentence; undefined: labels can. Milliseconds. */
export function whyNotOutlasted(
  windowMs: number | undefined,
  maxDurationMs: number,
): string | undefined {
  if (windowMs === undefined || maxDurationMs > windowMs) return undefined;
  return `expected more than labels.window (${durationText(windowMs)}), found ${durationText(maxDurationMs)}: no label would count before the rollout is out of time`;
}
