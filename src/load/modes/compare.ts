import { durationText, quantileText, ratioText } from '../../core/text.ts';
import type { Arrivals } from '../nouns/arrivals.ts';
import { arrivalsText } from '../nouns/arrivals-text.ts';
import { keptArrivals } from '../nouns/kept-arrivals.ts';
import type { CompareResult, Ratio } from '../nouns/result.ts';
import { type Bench, loadOnce, seedsFrom } from './bench.ts';
import { type Block, ROUNDS_MIN, ratiosOf } from './compare-ratios.ts';
import { errorsText, goodRatio, printLoad } from './load-words.ts';
import { checkNumber } from './option-checks.ts';
import { waitForRecovery } from './recovery.ts';

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

const COMPARE_DEFAULTS: CompareSettings = {
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

/** An open load of which less was answered well leaves a backlog, which the next block must not pay for. */
const BACKLOG_RATIO = 0.9;
const LIGHT_OF_OFFERED = 0.05;

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
  bench.print(
    `Comparing B with A in ${rounds} rounds of three blocks of ${durationText(blockMs)}: ${arrivalsText(keptArrivals(arrivals))}.`,
  );
  const blocks: Block[] = [];
  const nextSeed = seedsFrom(seed);
  // Drawn beforehand: how often a server has to be waited for must not change what is sent.
  const seeds = Array.from({ length: rounds }, nextSeed);
  for (const [index, roundSeed] of seeds.entries()) {
    const round = index + 1;
    const order = { arrivals, durationMs: warmupMs + blockMs, warmupMs, seed: roundSeed };
    for (const arm of armsOf(round)) {
      const measured = await loadOnce(bench, arm === 'B' ? 'B' : 'A', { ...order, deadlineMs });
      const block: Block = { arm, round, ...measured };
      blocks.push(block);
      printLoad(bench, `Round ${round} of ${rounds}, ${arm}`, measured.report);
      checkAnswered(block);
      await clearBacklog(bench, block, nextSeed);
    }
  }
  const { ratios, trusted, leftOut } = ratiosOf(blocks, arrivals, confidence);
  for (const ratio of ratios) bench.print(ratioLine(ratio, confidence));
  for (const why of leftOut) bench.print(why);
  return { mode: 'compare', confidence, rounds, ratios, trusted, leftOut, blocks };
}

function armsOf(round: number): readonly Block['arm'][] {
  const there = ['A', 'B', 'A again'] as const;
  return round % 2 === 1 ? there : there.toReversed();
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

function ratioLine({ figure, ratio, aaControl, finding }: Ratio, confidence: number): string {
  const between = `${ratioText(ratio.lower)} to ${ratioText(ratio.upper)}`;
  return (
    `B over A, ${figure}: ${ratioText(ratio.estimate)} (${quantileText(confidence)} interval ${between}); A/A control ` +
    `${ratioText(aaControl.lower)} to ${ratioText(aaControl.upper)}: ${finding}.`
  );
}

function checkSettings({ rounds, blockMs, warmupMs, confidence }: CompareSettings): void {
  checkNumber('rounds', rounds, { from: ROUNDS_MIN, whole: true });
  checkNumber('blockMs', blockMs, { above: 0 });
  checkNumber('warmupMs', warmupMs, { from: 0 });
  checkNumber('confidence', confidence, { above: 0, below: 1 });
}
