import { ratioInterval } from '../../stats/student-interval.ts';
import type { Arrivals } from '../arrivals.ts';
import { arrivalsText } from '../report/describe.ts';
import { durationText, quantileText, ratioText } from '../report/quantity.ts';
import { type Bench, loadOnce, seedsFrom } from './bench.ts';
import { errorsText, goodRatio, tellLoad } from './load-words.ts';
import { checkNumber } from './option-checks.ts';
import { waitForRecovery } from './recovery.ts';
import type { CompareResult, Ratio } from './result.ts';

export type CompareSettings = {
  /** Each has a block of A, one of B and one more of A. */
  readonly rounds: number;
  /** Measured time of a block. */
  readonly blockMs: number;
  /** Before each block. */
  readonly warmupMs: number;
  /** Of each interval by itself. */
  readonly confidence: number;
};

export const COMPARE_DEFAULTS: CompareSettings = {
  rounds: 6,
  blockMs: 10_000,
  warmupMs: 1000,
  confidence: 0.95,
};

export type CompareOptions = Partial<CompareSettings> & {
  readonly arrivals: Arrivals;
  readonly seed: number;
  /** undefined: the bench's own. */
  readonly deadlineMs?: number | undefined;
};

/** With fewer, an interval says next to nothing. */
const ROUNDS_MIN = 3;
/** An open load of which less was answered well leaves a backlog, which the next block must not pay for. */
const BACKLOG_RATIO = 0.9;
const LIGHT_OF_OFFERED = 0.05;

type Block = CompareResult['blocks'][number];
type Round = { readonly round: number; readonly blocks: Readonly<Record<Block['arm'], Block>> };
type Figure = Ratio['figure'];

/**
 * Loads A, B and A again in turn, in the reverse order every second round, so that neither what drifts nor what a block leaves
 * behind favours an arm; all three meet the same arrivals. Each round gives one ratio of B over A for each figure, and one of A
 * over itself: what the same thing measured twice differs by. Throws a RangeError for settings that make no sense, and an
 * Error where a block has no right answer at all, as no ratio can be made of that.
 */
export async function compare(bench: Bench, options: CompareOptions): Promise<CompareResult> {
  const { arrivals, seed, deadlineMs, ...chosen } = options;
  const settings: CompareSettings = { ...COMPARE_DEFAULTS, ...chosen };
  checkSettings(settings);
  const { rounds, confidence, blockMs, warmupMs } = settings;
  bench.tell(
    `Comparing B with A in ${rounds} rounds of three blocks of ${durationText(blockMs)}: ${arrivalsText(arrivals)}.`,
  );
  const blocks: Block[] = [];
  const nextSeed = seedsFrom(seed);
  for (let round = 1; round <= rounds; round += 1) {
    const order = { arrivals, durationMs: warmupMs + blockMs, warmupMs, seed: nextSeed() };
    for (const arm of armsOf(round)) {
      const measured = await loadOnce(bench, arm === 'B' ? 'B' : 'A', { ...order, deadlineMs });
      const block: Block = { arm, round, ...measured };
      blocks.push(block);
      tellLoad(bench, `Round ${round} of ${rounds}, ${arm}`, measured.report);
      checkAnswered(block);
      await clearBacklog(bench, block, nextSeed);
    }
  }
  const { used, trusted, leftOut } = roundsToUse(roundsOf(blocks));
  const figures = figuresFor(arrivals);
  const ratios = figures.map((figure) => ratioOf(figure, used, { confidence, trusted }));
  const found = ratios.filter((ratio) => typeof ratio !== 'string');
  const missing = ratios.filter((ratio) => typeof ratio === 'string');
  for (const ratio of found) bench.tell(ratioLine(ratio, confidence));
  for (const why of [...leftOut, ...missing]) bench.tell(why);
  return {
    mode: 'compare',
    confidence,
    rounds,
    ratios: found,
    leftOut: [...leftOut, ...missing],
    blocks,
  };
}

function armsOf(round: number): readonly Block['arm'][] {
  const there = ['A', 'B', 'A again'] as const;
  return round % 2 === 1 ? there : there.toReversed();
}

function figuresFor(arrivals: Arrivals): readonly Figure[] {
  const always: readonly Figure[] = ['p50', 'p90', 'p99', 'mean', 'good rate'];
  // An open load is answered as fast as it is offered, or it is overloaded: only a closed one asks how fast a server can be.
  return arrivals.kind === 'closed' ? [...always, 'answer rate'] : always;
}

function figureOf(figure: Figure, { report }: Block): number {
  const { latency, goodPerSecond } = report.measured;
  switch (figure) {
    case 'p50':
      return latency.p50Ms;
    case 'p90':
      return latency.p90Ms;
    case 'p99':
      return latency.p99Ms;
    case 'mean':
      return latency.meanMs;
    case 'good rate':
      return goodPerSecond;
    case 'answer rate':
      return report.answersPerSecond;
  }
}

function checkAnswered({ arm, round, report: { measured } }: Block): void {
  if (measured.latency.count > 0) return;
  throw new Error(
    `Round ${round}, ${arm}: none of ${measured.offered} requests got a right answer (${errorsText(measured)}), so no ratio ` +
      'can be made. Look at the target, or offer less.',
  );
}

async function clearBacklog(bench: Bench, block: Block, nextSeed: () => number): Promise<void> {
  const { measured, arrivals, deadlineMs } = block.report;
  if (arrivals.kind === 'closed' || goodRatio(measured) >= BACKLOG_RATIO) return;
  const lightPerSecond = measured.offeredPerSecond * LIGHT_OF_OFFERED;
  const arm = block.arm === 'B' ? 'B' : 'A';
  await waitForRecovery(bench, { arm, lightPerSecond, deadlineMs, nextSeed });
}

function roundsOf(blocks: readonly Block[]): readonly Round[] {
  const rounds: Round[] = [];
  for (const a of blocks.filter(({ arm }) => arm === 'A')) {
    const of = (arm: Block['arm']): Block | undefined =>
      blocks.find((block) => block.arm === arm && block.round === a.round);
    const [b, again] = [of('B'), of('A again')];
    if (b === undefined || again === undefined) continue;
    rounds.push({ round: a.round, blocks: { A: a, B: b, 'A again': again } });
  }
  return rounds;
}

type Used = {
  readonly used: readonly Round[];
  /** False: the generator spoilt so many rounds that no finding is made of them. */
  readonly trusted: boolean;
  readonly leftOut: readonly string[];
};

/** Rounds that the generator spoilt are left out as a whole, unless too few others remain. */
function roundsToUse(rounds: readonly Round[]): Used {
  const isSpoilt = ({ blocks }: Round): boolean =>
    Object.values(blocks).some(({ report }) => report.doubts.length > 0);
  const spoilt = rounds.filter(isSpoilt);
  if (spoilt.length === 0) return { used: rounds, trusted: true, leftOut: [] };
  const names = spoilt.map(({ round }) => round).join(', ');
  const clean = rounds.filter((round) => !isSpoilt(round));
  if (clean.length >= ROUNDS_MIN) {
    const why = `Left out as the generator could not keep up in them: ${spoilt.length} of ${rounds.length} rounds (${names}).`;
    return { used: clean, trusted: true, leftOut: [why] };
  }
  const why =
    `Nothing is told apart: the generator could not keep up in ${spoilt.length} of ${rounds.length} rounds (${names}), and ` +
    `${ROUNDS_MIN} clean ones are needed. The ratios are of all rounds.`;
  return { used: rounds, trusted: false, leftOut: [why] };
}

/** The ratio of a figure over the rounds; or in words why there is none. */
function ratioOf(
  figure: Figure,
  rounds: readonly Round[],
  { confidence, trusted }: { readonly confidence: number; readonly trusted: boolean },
): Ratio | string {
  const values = (arm: Block['arm']): readonly number[] =>
    rounds.map(({ blocks }) => figureOf(figure, blocks[arm]));
  const [a, b, again] = [values('A'), values('B'), values('A again')];
  const wrong = [...a, ...b, ...again].find((value) => !(value > 0 && Number.isFinite(value)));
  if (wrong !== undefined) {
    return `No ratio of the ${figure}: it is ${wrong} in one of the blocks, and nothing can be divided by that.`;
  }
  const over = (upper: readonly number[]): readonly number[] =>
    upper.map((value, place) => value / (a[place] ?? Number.NaN));
  const [ratio, self] = [
    ratioInterval(over(b), confidence),
    ratioInterval(over(again), confidence),
  ];
  const finding = trusted ? findingOf(ratio, self) : 'not told apart';
  return { figure, ratio, self, a, b, finding };
}

/** Both are asked: the interval leaves 1 out, and the ratio is beyond what A against itself may show. */
function findingOf(ratio: Ratio['ratio'], self: Ratio['self']): Ratio['finding'] {
  if (ratio.lower > 1 && ratio.estimate > self.upper) return 'higher';
  if (ratio.upper < 1 && ratio.estimate < self.lower) return 'lower';
  return 'not told apart';
}

function ratioLine({ figure, ratio, self, finding }: Ratio, confidence: number): string {
  const between = `${ratioText(ratio.lower)} to ${ratioText(ratio.upper)}`;
  return (
    `B over A, ${figure}: ${ratioText(ratio.estimate)} (${quantileText(confidence)} interval ${between}); A over itself ` +
    `${ratioText(self.lower)} to ${ratioText(self.upper)}: ${finding}.`
  );
}

function checkSettings({ rounds, blockMs, warmupMs, confidence }: CompareSettings): void {
  checkNumber('rounds', rounds, { from: ROUNDS_MIN, whole: true });
  checkNumber('blockMs', blockMs, { above: 0 });
  checkNumber('warmupMs', warmupMs, { from: 0 });
  checkNumber('confidence', confidence, { above: 0, below: 1 });
}
