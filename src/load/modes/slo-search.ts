import { durationText } from '../../core/text.ts';
import type { SloTrial } from '../nouns/result.ts';
import { type Bench, loadOnce } from './bench.ts';
import { errorsText, perSecondText } from './load-words.ts';

/** Loads that a search may take at most: 40 doublings of one request a second are more than any server answers. */
const LOADS_MAX = 40;
/** So many loads in a row that the generator spoilt: at a lower rate it is no better, and a search would take long. */
const SPOILT_MAX = 3;

export type SloSearch = {
  /** Loads with a rate once, and judges it. */
  readonly tryRate: (perSecond: number) => Promise<SloTrial>;
  readonly startPerSecond: number;
  /** Below it, a load has too few requests to show anything. */
  readonly perSecondMin: number;
  /** The search ends when the rate that held and the one that did not are this close: 0.05 for 5 %. */
  readonly precision: number;
};

/**
 * About the highest rate that holds: doubled while it does, halved until it does, then the (geometric) middle between the two.
 * Each rate has one short load, so the answer is a guess that a proof must confirm. undefined: none held, or the generator
 * spoilt one load after the other.
 */
export async function searchRate(search: SloSearch): Promise<number | undefined> {
  const { tryRate, startPerSecond, perSecondMin, precision } = search;
  let rate = Math.max(startPerSecond, perSecondMin);
  let [held, missed]: [number | undefined, number | undefined] = [undefined, undefined];
  let spoilt = 0;
  for (let loads = 0; loads < LOADS_MAX; loads += 1) {
    const { verdict } = await tryRate(rate);
    spoilt = verdict === 'invalid' ? spoilt + 1 : 0;
    if (spoilt === SPOILT_MAX) return held;
    if (verdict === 'holds') held = rate;
    else missed = rate;
    if (missed === undefined) rate *= 2;
    else if (held !== undefined) rate = Math.sqrt(held * missed);
    else if (rate <= perSecondMin) return undefined;
    else rate = Math.max(rate / 2, perSecondMin);
    if (held !== undefined && missed !== undefined && missed <= held * (1 + precision)) break;
  }
  return held;
}

/**
 * Where to begin by default: half of what one request at a time gets. Throws an Error where it gets no right answer.
 */
export async function guessRate(
  bench: Bench,
  order: { readonly loopMs: number; readonly deadlineMs: number; readonly seed: number },
): Promise<number> {
  const { loopMs, deadlineMs, seed } = order;
  const { report } = await loadOnce(bench, 'A', {
    arrivals: { kind: 'closed', concurrency: 1 },
    durationMs: loopMs,
    warmupMs: 0,
    seed,
    deadlineMs,
  });
  if (!(report.answersPerSecond > 0)) {
    throw new Error(
      `One request at a time got no right answer in ${durationText(loopMs)} (${errorsText(report.measured)}): there is no ` +
        'rate to look for. Look at the target, the model and the requests.',
    );
  }
  const startPerSecond = report.answersPerSecond / 2;
  bench.print(
    `One request at a time gets ${perSecondText(report.answersPerSecond)}; beginning at half of that.`,
  );
  return startPerSecond;
}
