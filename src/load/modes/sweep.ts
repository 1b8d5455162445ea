import { quantileText } from '../../core/text.ts';
import { poisson } from '../nouns/arrivals.ts';
import type { Measured, SweepResult } from '../nouns/result.ts';
import { type Bench, loadOnce, seedsFrom } from './bench.ts';
import { findCapacity } from './capacity.ts';
import { goodRatio, perSecondText, printLoad } from './load-words.ts';
import { checkNumber } from './option-checks.ts';
import { waitForRecovery } from './recovery.ts';

export type SweepSettings = {
  /** Offered loads as multiples of the capacity, rising. */
  readonly ofCapacity: readonly number[];
  /** Measured time of a point; longer where the rate is so low that `requestsMin` need more, up to `pointMsMax`. */
  readonly pointMs: number;
  readonly requestsMin: number;
  readonly pointMsMax: number;
  /** Before each point and closed loop. */
  readonly warmupMs: number;
  /** Measured time of each closed loop. */
  readonly loopMs: number;
  readonly concurrencyMax: number;
  readonly kneeGoodRatio: number;
};

export const SWEEP_DEFAULTS: SweepSettings = {
  ofCapacity: [0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3],
  pointMs: 10_000,
  requestsMin: 500,
  pointMsMax: 60_000,
  warmupMs: 1000,
  loopMs: 3000,
  concurrencyMax: 256,
  kneeGoodRatio: 0.99,
};

export type SweepOptions = Partial<SweepSettings> & {
  readonly seed: number;
  /** undefined: the bench's own. */
  readonly deadlineMs?: number | undefined;
};

/** The light load that shows whether a server has recovered, as a multiple of the capacity. */
const LIGHT_OF_CAPACITY = 0.05;

type Point = SweepResult['points'][number];

/**
 * Finds A's capacity by closed loops, then offers Poisson loads below and above it and finds the knee. A point that the
 * generator itself spoilt runs once more; spoilt again, it ends the knee: what was not shown does not count as shown. Throws a
 * RangeError for settings that make no sense, and an Error where the server gives no answer at all.
 */
export async function sweep(bench: Bench, options: SweepOptions): Promise<SweepResult> {
  const { seed, deadlineMs, ...chosen } = options;
  const settings: SweepSettings = { ...SWEEP_DEFAULTS, ...chosen };
  checkSettings(settings);
  const nextSeed = seedsFrom(seed);
  const { warmupMs, loopMs, concurrencyMax, ofCapacity, kneeGoodRatio } = settings;
  const search = { loopMs, warmupMs, concurrencyMax, deadlineMs, nextSeed };
  const capacity = await findCapacity(bench, search);
  const lightPerSecond = capacity.capacityPerSecond * LIGHT_OF_CAPACITY;
  const recovery = { arm: 'A', lightPerSecond, deadlineMs, nextSeed } as const;
  await waitForRecovery(bench, recovery);
  const points: Point[] = [];
  for (const multiple of ofCapacity) {
    const perSecond = capacity.capacityPerSecond * multiple;
    const order = pointOrder(perSecond, settings);
    const load = (): Promise<Measured> =>
      loadOnce(bench, 'A', { ...order, seed: nextSeed(), deadlineMs });
    const measured = await untilTrusted(bench, `${multiple} of the capacity`, load);
    points.push({ ofCapacity: multiple, perSecond, ...measured });
    const isLast = points.length === ofCapacity.length;
    const isGood = goodRatio(measured.report.measured) >= kneeGoodRatio;
    if (!isGood && !isLast) await waitForRecovery(bench, recovery);
  }
  const kneePerSecond = kneeOf(points, kneeGoodRatio);
  bench.print(kneeText(kneePerSecond, kneeGoodRatio));
  return { mode: 'sweep', ...capacity, points, kneePerSecond, kneeGoodRatio };
}

/** A load that the generator spoilt runs once more: mostly something else had the processor for a moment. */
async function untilTrusted(
  bench: Bench,
  what: string,
  load: () => Promise<Measured>,
): Promise<Measured> {
  const first = await load();
  printLoad(bench, what, first.report);
  if (first.report.warnings.length === 0) return first;
  const second = await load();
  printLoad(bench, `${what}, again`, second.report);
  return second;
}

function pointOrder(perSecond: number, settings: SweepSettings) {
  const { requestsMin, pointMs, pointMsMax, warmupMs } = settings;
  const neededMs = (requestsMin / perSecond) * 1000;
  const measuredMs = Math.max(pointMs, Math.min(pointMsMax, neededMs));
  return { arrivals: poisson(perSecond), durationMs: warmupMs + measuredMs, warmupMs };
}

/** The highest rate up to which every point was answered well and without warnings. */
function kneeOf(points: readonly Point[], ratio: number): number | undefined {
  const isShown = ({ report }: Point): boolean =>
    report.warnings.length === 0 && goodRatio(report.measured) >= ratio;
  const end = points.findIndex((point) => !isShown(point));
  return points[(end < 0 ? points.length : end) - 1]?.perSecond;
}

function kneeText(kneePerSecond: number | undefined, ratio: number): string {
  const well = `${quantileText(ratio)} answered well and in time`;
  return kneePerSecond === undefined
    ? `No knee: even the lowest offered load was not shown to have ${well}.`
    : `Knee: ${perSecondText(kneePerSecond)}, the highest offered load with ${well}, as all lower ones had.`;
}

function checkSettings(settings: SweepSettings): void {
  const { ofCapacity, ...numbers } = settings;
  checkNumber('pointMs', numbers.pointMs, { above: 0 });
  checkNumber('pointMsMax', numbers.pointMsMax, { from: numbers.pointMs });
  checkNumber('requestsMin', numbers.requestsMin, { from: 1, whole: true });
  checkNumber('warmupMs', numbers.warmupMs, { from: 0 });
  checkNumber('loopMs', numbers.loopMs, { above: 0 });
  checkNumber('concurrencyMax', numbers.concurrencyMax, { from: 1, whole: true });
  checkNumber('kneeGoodRatio', numbers.kneeGoodRatio, { above: 0, to: 1 });
  if (ofCapacity.length === 0) throw new RangeError('ofCapacity must name a load, and names none');
  for (const [place, multiple] of ofCapacity.entries()) {
    checkNumber('ofCapacity', multiple, { above: ofCapacity[place - 1] ?? 0 });
  }
}
