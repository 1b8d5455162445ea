import { interleave, spreadOf } from '../blocks.ts';

/** One row of the table. */
export type Comparison = {
  readonly operation: string;
  readonly handWritten: string;
  /** Each library with its figure. */
  readonly library: string;
};

const ROUNDS = 9;

/** Does the operation so many times. A number that it returns is added: microseconds that another process took for it. */
export type Block = (times: number) => Promise<number> | undefined;

/**
 * Microseconds of processor time for one operation, for each kind: the median of nine rounds in which the kinds take turns. One
 * more round before them warms up.
 */
export async function processorTimes<Kind extends string>(
  blocks: Readonly<Record<Kind, Block>>,
  times: number,
): Promise<Readonly<Record<Kind, string>>> {
  const kinds = Object.keys(blocks) as Kind[];
  const rounds = await interleave(kinds, ROUNDS + 1, async (kind) => {
    const before = process.cpuUsage();
    const elsewhereUs = (await blocks[kind](times)) ?? 0;
    const { user, system } = process.cpuUsage(before);
    return (user + system + elsewhereUs) / times;
  });
  const figures = kinds.map((kind) => [kind, inDigits(spreadOf(rounds[kind].slice(1)).median)]);
  return Object.fromEntries(figures) as Record<Kind, string>;
}

/** Two significant digits below a hundred, whole numbers above. */
export function inDigits(figure: number): string {
  return figure >= 100 ? figure.toFixed(0) : String(Number(figure.toPrecision(2)));
}
