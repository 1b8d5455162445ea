import type { BlockCounts } from '../core/evidence.ts';
import { countText, durationText } from '../core/text.ts';
import { isCount } from './value-counts.ts';

/** Blocks of time in their order, joined until each holds enough to be one measurement. */
export type Measurements<Counts> = {
  readonly counts: readonly Counts[];
  /** How long one usually takes, in milliseconds: the median, so that idle hours do not count; undefined: there is none. */
  readonly eachMs: number | undefined;
};

/**
 * Reads blocks of time as a series of measurements: the newest block may still grow and does not count; the others are joined in
 * their order until `isEnough`, so that sparse traffic makes longer measurements and not noisier ones. What is left over at the end
 * waits for more. Undefined if a key or a count is not what it should be.
 */
export function readMeasurements<Counts extends readonly number[]>(
  blocks: BlockCounts<Counts> | undefined,
  {
    isWhole,
    isEnough,
  }: {
    readonly isWhole: (counts: Counts) => boolean;
    readonly isEnough: (counts: Counts) => boolean;
  },
): Measurements<Counts> | undefined {
  const ended: { readonly atMs: number; readonly counts: Counts }[] = [];
  for (const [key, counts] of Object.entries(blocks ?? {})) {
    const written = /^(\d+):(\d+)$/.exec(key);
    if (written === null || !counts.every(isCount) || !isWhole(counts)) return undefined;
    ended.push({ atMs: Number(written[1]) * Number(written[2]), counts });
  }
  ended.sort((a, b) => a.atMs - b.atMs);
  const newest = ended.pop();
  return newest === undefined
    ? { counts: [], eachMs: undefined }
    : inOrder(ended, { untilMs: newest.atMs, isEnough });
}

function inOrder<Counts extends readonly number[]>(
  ended: readonly { readonly atMs: number; readonly counts: Counts }[],
  {
    untilMs,
    isEnough,
  }: { readonly untilMs: number; readonly isEnough: (counts: Counts) => boolean },
): Measurements<Counts> {
  const whole: Counts[] = [];
  const tookMs: number[] = [];
  let open: readonly number[] | undefined;
  let openedMs = 0;
  for (const [index, { atMs, counts }] of ended.entries()) {
    if (open === undefined) openedMs = atMs;
    open = counts.map((count, at) => count + (open?.[at] ?? 0));
    // As many counts as each block has.
    const joined = open as readonly number[] as Counts;
    if (!isEnough(joined)) continue;
    whole.push(joined);
    tookMs.push((ended[index + 1]?.atMs ?? untilMs) - openedMs);
    open = undefined;
  }
  return { counts: whole, eachMs: tookMs.sort((a, b) => a - b)[tookMs.length >> 1] };
}

/** `7 of 24 blocks of time seen, about 85 s more`. */
export function tooFewText<Counts>(
  { counts, eachMs }: Measurements<Counts>,
  needed: number,
): string {
  const seen = `${countText(counts.length)} of ${countText(needed)} blocks of time seen`;
  if (eachMs === undefined) return seen;
  return `${seen}, about ${durationText(Math.ceil(eachMs * (needed - counts.length)))} more`;
}
