import { countText, durationText, msText, quantileText } from '../../core/text.ts';
import { requestsNeeded } from '../../stats/early-stopping.ts';
import type { SloResult, SloTrial } from '../nouns/result.ts';
import { type Bench, seedsFrom } from './bench.ts';
import { goodRatio, perSecondText } from './load-words.ts';
import { checkNumber } from './option-checks.ts';
import { waitForRecovery } from './recovery.ts';
import { guessRate, searchRate } from './slo-search.ts';
import { tryRate, withSpare } from './slo-trial.ts';

export type SloSettings = {
  /** 0 to 1: the share of requests that must be answered within the limit. */
  readonly quantile: number;
  /** That the answer is right, over all proofs together. */
  readonly confidence: number;
  /** How close the search gets before the proof: 0.05 for 5 %. */
  readonly precision: number;
  readonly proofsMax: number;
  /** Measured time of a load, at least: what goes wrong more rarely than once in it is not seen. */
  readonly searchMs: number;
  readonly proofMs: number;
  /** Measured time of a load, at most. It sets the lowest rate that can be proven. */
  readonly loadMsMax: number;
  /** Before each load. */
  readonly warmupMs: number;
};

export const SLO_DEFAULTS: SloSettings = {
  quantile: 0.99,
  confidence: 0.99,
  precision: 0.05,
  proofsMax: 4,
  searchMs: 3000,
  proofMs: 30_000,
  loadMsMax: 120_000,
  warmupMs: 1000,
};

export type SloOptions = Partial<SloSettings> & {
  readonly withinMs: number;
  readonly seed: number;
  /** Where the search begins; undefined: at half of what one request at a time gets. */
  readonly startPerSecond?: number | undefined;
};

/** Late requests that a load is made long enough to allow: more make it surer, and longer. */
const LATE_IN_SEARCH = 5;
const LATE_IN_PROOF = 10;
/** How much lower the next proof is, after one that was near and after one that was shown to be too high. */
const LOWER_AFTER_NEAR = 0.95;
const LOWER_AFTER_MISS = 0.9;
const LIGHT_OF_RATE = 0.05;

type Trying = {
  readonly bench: Bench;
  readonly settings: SloSettings;
  readonly withinMs: number;
  readonly nextSeed: () => number;
  readonly perSecondMin: number;
  readonly trials: SloTrial[];
};

/**
 * The highest Poisson rate of which at least `quantile` is answered well within `withinMs`, with confidence `confidence`, by
 * the binomial test of stats/early-stopping.ts. A search finds a likely rate; its loads prove nothing, as the best of many
 * looks is lucky. A proof then loads that rate with a fresh seed and looks once, at a number of requests that is settled
 * beforehand; if it does not hold, a rate 5 or 10 % lower is next. The proofs share the allowed error (Bonferroni), so that all
 * together are wrong as rarely as one would be.
 *
 * The test takes requests for independent. In a queue they are not: they are late in clumps. So a proof lasts at least
 * `proofMs`, many times as long as the clumps of a healthy server, and begins on one that has recovered; a stall that comes
 * more rarely than that is not seen, and needs a longer proof or a soak.
 *
 * Throws a RangeError for settings that make no sense, and an Error where the server gives no answer at all.
 */
export async function slo(bench: Bench, options: SloOptions): Promise<SloResult> {
  const { withinMs, seed, startPerSecond, ...chosen } = options;
  const settings: SloSettings = { ...SLO_DEFAULTS, ...chosen };
  checkSettings(settings, options);
  const { quantile, confidence, proofsMax, precision } = settings;
  const perSecondMin = rateMin(settings);
  const nextSeed = seedsFrom(seed);
  const trying: Trying = { bench, settings, withinMs, nextSeed, perSecondMin, trials: [] };
  bench.print(
    `Looking for the highest rate with ${quantileText(quantile)} within ${msText(withinMs)}, to be shown with ` +
      `${quantileText(confidence)} confidence. No load is longer than ${durationText(settings.loadMsMax)}, so nothing below ` +
      `${perSecondText(perSecondMin)} can be proven.`,
  );
  const guess = { loopMs: settings.searchMs, deadlineMs: withinMs, seed: nextSeed() };
  const found = await searchRate({
    tryRate: (perSecond) => oneTrial(trying, 'search', perSecond),
    startPerSecond: startPerSecond ?? (await guessRate(bench, guess)),
    perSecondMin,
    precision,
  });
  const perSecond = found === undefined ? undefined : await proveRate(trying, found);
  bench.print(
    perSecond === undefined
      ? 'No rate is proven.'
      : `Proven: ${perSecondText(perSecond)}, ${quantileText(quantile)} within ${msText(withinMs)}, with ${quantileText(confidence)} confidence.`,
  );
  const { trials } = trying;
  return { mode: 'slo', quantile, withinMs, confidence, proofsMax, perSecond, trials };
}

/** The first rate whose proof holds, from the one found downwards; undefined: none did. */
async function proveRate(trying: Trying, found: number): Promise<number | undefined> {
  const { bench, settings, perSecondMin } = trying;
  const { confidence } = proofClaim(settings);
  bench.print(
    `The search found ${perSecondText(found)}. Up to ${countText(settings.proofsMax)} proofs with fresh seeds, each held to ` +
      `${quantileText(confidence)} confidence.`,
  );
  let rate = found;
  for (let proofs = 0; proofs < settings.proofsMax && rate >= perSecondMin; proofs += 1) {
    const { verdict } = await oneTrial(trying, 'proof', rate);
    if (verdict === 'holds') return rate;
    rate *= verdict === 'undecided' ? LOWER_AFTER_NEAR : LOWER_AFTER_MISS;
  }
  return undefined;
}

async function oneTrial(
  trying: Trying,
  stage: SloTrial['stage'],
  perSecond: number,
): Promise<SloTrial> {
  const { bench, settings, withinMs, nextSeed, trials } = trying;
  const { quantile, confidence, warmupMs, loadMsMax } = settings;
  const isProof = stage === 'proof';
  const claim = isProof ? proofClaim(settings) : { quantile, confidence };
  const requests = requestsNeeded(isProof ? LATE_IN_PROOF : LATE_IN_SEARCH, claim);
  const leastMs = isProof ? settings.proofMs : settings.searchMs;
  const neededMs = (withSpare(requests) / perSecond) * 1000;
  const measuredMs = Math.min(loadMsMax, Math.max(leastMs, neededMs));
  const order = { durationMs: warmupMs + measuredMs, warmupMs, seed: nextSeed() };
  const trial = await tryRate(bench, { stage, perSecond, withinMs, claim, order });
  trials.push(trial);
  if (goodRatio(trial.report.measured) < quantile) {
    const lightPerSecond = perSecond * LIGHT_OF_RATE;
    await waitForRecovery(bench, { arm: 'A', lightPerSecond, deadlineMs: withinMs, nextSeed });
  }
  return trial;
}

function proofClaim({ quantile, confidence, proofsMax }: SloSettings) {
  return { quantile, confidence: 1 - (1 - confidence) / proofsMax };
}

/** The lowest rate at which the longest load has the requests that a proof without a late one needs. */
function rateMin(settings: SloSettings): number {
  return withSpare(requestsNeeded(0, proofClaim(settings))) / (settings.loadMsMax / 1000);
}

function checkSettings(settings: SloSettings, { withinMs, startPerSecond }: SloOptions): void {
  checkNumber('withinMs', withinMs, { above: 0 });
  if (startPerSecond !== undefined) checkNumber('startPerSecond', startPerSecond, { above: 0 });
  checkNumber('quantile', settings.quantile, { above: 0, below: 1 });
  checkNumber('confidence', settings.confidence, { above: 0, below: 1 });
  checkNumber('precision', settings.precision, { above: 0, to: 1 });
  checkNumber('proofsMax', settings.proofsMax, { from: 1, whole: true });
  checkNumber('searchMs', settings.searchMs, { above: 0 });
  checkNumber('proofMs', settings.proofMs, { above: 0 });
  checkNumber('loadMsMax', settings.loadMsMax, {
    from: Math.max(settings.searchMs, settings.proofMs),
  });
  checkNumber('warmupMs', settings.warmupMs, { from: 0 });
}
