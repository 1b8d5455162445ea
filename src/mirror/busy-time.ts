import type { ShadowRun } from './mirrored.ts';

/** A moment, and how long the two sources of a shadow host had run until then. Milliseconds. */
export type BusyMark = {
  readonly atMs: number;
  readonly candidateMs: number;
  readonly twinMs: number;
};

/** One side is to blame for a wait if it ran for so many times as long as the other. */
const BLAME_RATIO = 2;

/**
 * With which of its two sources a shadow host was busy while requests waited for it. Only runs of both count, and none that was a
 * time-out by itself: so between two equal versions either is as likely to have been the longer, and a hang counts once.
 */
export class BusyTime {
  #candidateMs = 0;
  #twinMs = 0;
  #lastRun: number | undefined;
  #blamedAtMs = Number.NEGATIVE_INFINITY;

  /** `budgetMs`: a run of either that took longer is a time-out by itself. */
  learn({ candidate, twin, shadowRun }: ShadowRun, budgetMs: number): void {
    if (shadowRun === this.#lastRun || candidate.kind !== 'answer' || twin?.kind !== 'answer')
      return;
    this.#lastRun = shadowRun;
    if (candidate.computeMs > budgetMs || twin.computeMs > budgetMs) return;
    this.#candidateMs += candidate.computeMs;
    this.#twinMs += twin.computeMs;
  }

  mark(atMs: number): BusyMark {
    return { atMs, candidateMs: this.#candidateMs, twinMs: this.#twinMs };
  }

  /**
   * Whose runs a request waited behind in vain since a mark; undefined: neither's much more than the other's, or that was blamed
   * already. Requests that wait at one time wait behind the same runs, so only one that began to wait after the last blame is
   * blamed on a version again.
   */
  blame(since: BusyMark, nowMs: number): 'candidate' | 'twin' | undefined {
    const candidateMs = this.#candidateMs - since.candidateMs;
    const twinMs = this.#twinMs - since.twinMs;
    if (since.atMs <= this.#blamedAtMs || candidateMs + twinMs === 0) return undefined;
    const isCandidates = candidateMs >= BLAME_RATIO * twinMs;
    if (!isCandidates && twinMs < BLAME_RATIO * candidateMs) return undefined;
    this.#blamedAtMs = nowMs;
    return isCandidates ? 'candidate' : 'twin';
  }
}
