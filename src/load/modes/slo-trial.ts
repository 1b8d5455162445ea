import { counted, countText } from '../../core/text.ts';
import { lateMost, lateThatMisses, type TailClaim } from '../../stats/early-stopping.ts';
import { poisson } from '../nouns/arrivals.ts';
import type { LoadReport } from '../nouns/load-report.ts';
import type { SloTrial } from '../nouns/result.ts';
import { type Bench, type LoadOrder, loadOnce } from './bench.ts';
import { perSecondText, printLoad } from './load-words.ts';

/** Poisson arrivals vary by the root of their number: with so many standard deviations more, nearly no load has too few. */
const SPARE_DEVIATIONS = 4;

/** How many requests a load must be meant to have, so that it has at least so many for any seed. */
export function withSpare(requests: number): number {
  return requests + SPARE_DEVIATIONS * Math.sqrt(requests);
}

export type TrialOrder = {
  readonly stage: SloTrial['stage'];
  readonly perSecond: number;
  readonly withinMs: number;
  readonly claim: TailClaim;
  readonly order: Pick<LoadOrder, 'durationMs' | 'warmupMs' | 'seed'>;
};

/** Loads A once at a rate, judges the answers, and prints the result. Throws an Error where the bench took another deadline. */
export async function tryRate(
  bench: Bench,
  { stage, perSecond, withinMs, claim, order }: TrialOrder,
): Promise<SloTrial> {
  const arrivals = poisson(perSecond);
  const measured = await loadOnce(bench, 'A', { ...order, arrivals, deadlineMs: withinMs });
  const { report } = measured;
  if (report.deadlineMs !== withinMs) {
    throw new Error(
      `The load counted what was within ${report.deadlineMs} ms, and ${withinMs} ms were asked for.`,
    );
  }
  const trial: SloTrial = { stage, perSecond, ...judge(report, claim), ...measured };
  const what = stage === 'proof' ? 'Proof' : 'Search';
  printLoad(bench, `${what} at ${perSecondText(perSecond)}`, report);
  bench.print(`  ${verdictText(trial)}`);
  return trial;
}

/**
 * What one look at a load shows of a claim. Late is every request not answered well within the limit: refused, wrong and
 * unanswered too. How many requests there are is settled by rate, time and seed before the first is sent.
 */
function judge(
  { measured, warnings }: LoadReport,
  claim: TailClaim,
): Pick<SloTrial, 'requests' | 'late' | 'lateMax' | 'verdict'> {
  const requests = measured.offered;
  const late = requests - measured.good;
  const lateMax = lateMost(requests, claim);
  const misses = lateThatMisses(requests, claim);
  const verdictOf = (): SloTrial['verdict'] => {
    if (warnings.length > 0) return 'invalid';
    if (lateMax !== undefined && late <= lateMax) return 'holds';
    return misses !== undefined && late >= misses ? 'fails' : 'undecided';
  };
  return { requests, late, lateMax, verdict: verdictOf() };
}

function verdictText({ verdict, requests, late, lateMax }: SloTrial): string {
  const allowed =
    lateMax === undefined
      ? `even with none late, ${counted(requests, 'request')} would be too few`
      : `${countText(lateMax)} may be`;
  const seen = `${countText(late)} late, ${allowed}`;
  switch (verdict) {
    case 'holds':
      return `Holds: ${seen}.`;
    case 'fails':
      return `Fails: ${seen}.`;
    case 'undecided':
      return `Undecided, which is no pass: ${seen}.`;
    case 'invalid':
      return `Invalid, regardless of the result: ${seen}.`;
  }
}
