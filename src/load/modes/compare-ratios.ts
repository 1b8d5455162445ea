import { ratioInterval } from '../../stats/student-interval.ts';
import type { Arrivals } from '../nouns/arrivals.ts';
import type { CompareResult, Ratio } from '../nouns/result.ts';

/** With fewer, an interval says next to nothing. */
export const ROUNDS_MIN = 3;

export type Block = CompareResult['blocks'][number];
type Round = { readonly round: number; readonly blocks: Readonly<Record<Block['arm'], Block>> };
type Figure = Ratio['figure'];

/**
 * The ratios of all figures that fit the arrivals, and in sentences what had to be left out. Each interval is Student's, of the
 * logarithms of one ratio per round; it holds with `confidence` by itself, not together with those of the other figures.
 */
export function ratiosOf(
  blocks: readonly Block[],
  arrivals: Arrivals,
  confidence: number,
): Pick<CompareResult, 'ratios' | 'trusted' | 'leftOut'> {
  const { used, trusted, leftOut } = roundsToUse(roundsOf(blocks));
  const all = figuresFor(arrivals).map((figure) => ratioOf(figure, used, { confidence, trusted }));
  return {
    ratios: all.filter((ratio) => typeof ratio !== 'string'),
    trusted,
    leftOut: [...leftOut, ...all.filter((ratio) => typeof ratio === 'string')],
  };
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
    Object.values(blocks).some(({ report }) => report.warnings.length > 0);
  const spoilt = rounds.filter(isSpoilt);
  if (spoilt.length === 0) return { used: rounds, trusted: true, leftOut: [] };
  const names = spoilt.map(({ round }) => round).join(', ');
  const clean = rounds.filter((round) => !isSpoilt(round));
  if (clean.length >= ROUNDS_MIN) {
    const why = `Left out as the generator could not keep up in them: ${spoilt.length} of ${rounds.length} rounds (${names}).`;
    return { used: clean, trusted: true, leftOut: [why] };
  }
  const why =
    `No difference is shown: the generator could not keep up in ${spoilt.length} of ${rounds.length} rounds (${names}), and ` +
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
  const [ratio, aaControl] = [
    ratioInterval(over(b), confidence),
    ratioInterval(over(again), confidence),
  ];
  const finding = trusted ? findingOf(ratio, aaControl) : 'no clear difference';
  return { figure, ratio, aaControl, a, b, finding };
}

/** A difference needs both: the interval excludes 1, and the ratio lies outside the interval of the A/A control. */
function findingOf(ratio: Ratio['ratio'], aaControl: Ratio['aaControl']): Ratio['finding'] {
  if (ratio.lower > 1 && ratio.estimate > aaControl.upper) return 'higher';
  if (ratio.upper < 1 && ratio.estimate < aaControl.lower) return 'lower';
  return 'no clear difference';
}
