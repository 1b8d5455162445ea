import { durationText } from '../../core/text.ts';
import { constant } from '../nouns/arrivals.ts';
import { type Arm, type Bench, loadOnce } from './bench.ts';
import { errorsText, goodRatio } from './load-words.ts';

/** A light load has about so many requests, in a time within these limits. */
const REQUESTS = 10;
const TRY_MS_MIN = 500;
const TRY_MS_MAX = 5000;
/** A server that is still slow after so many light loads is not waited for any longer. */
const TRIES_MAX = 10;
const RECOVERED_RATIO = 0.95;

export type Recovery = {
  readonly arm: Arm;
  /** So little that a server that has recovered answers it with ease. */
  readonly lightPerSecond: number;
  readonly deadlineMs?: number | undefined;
  readonly nextSeed: () => number;
};

/**
 * Waits until the server answers a light load within the deadline again, so that what one load left behind is not counted
 * against the next one; so it waits for one that is down, too. Bounded: gives up after ten tries, says so, and answers false.
 */
export async function waitForRecovery(
  bench: Bench,
  { arm, lightPerSecond, deadlineMs, nextSeed }: Recovery,
): Promise<boolean> {
  const perSecond = Math.max(lightPerSecond, REQUESTS / (TRY_MS_MAX / 1000));
  const durationMs = Math.max(TRY_MS_MIN, (REQUESTS / perSecond) * 1000);
  let found = '';
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const order = { arrivals: constant(perSecond), durationMs, warmupMs: 0, seed: nextSeed() };
    const { report } = await loadOnce(bench, arm, { ...order, deadlineMs });
    if (goodRatio(report.measured) >= RECOVERED_RATIO) {
      if (tries > 1) bench.print(`  Recovered within ${durationText(tries * durationMs)}.`);
      return true;
    }
    found = `${report.measured.good} of ${report.measured.offered} good, ${errorsText(report.measured)}`;
  }
  bench.print(
    `  Not recovered after ${durationText(TRIES_MAX * durationMs)} of light load (${found}). Going on all the same: the next ` +
      'figures may show what the last load left behind.',
  );
  return false;
}
