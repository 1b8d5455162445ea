import type { Tally } from './steady-load.ts';

/** Headings of `cellsBeside`. */
export const BESIDE = ['sent', 'failed', 'control failed', 'p99', 'control p99', 'ratio'];

/** The outcomes of live requests, next to those of the untouched gateway. */
export function cellsBeside(tested: Tally, control: Tally): readonly string[] {
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  return [
    String(tested.sent),
    String(tested.failed),
    String(control.failed),
    ms(tested.p99Ms),
    ms(control.p99Ms),
    (tested.p99Ms / control.p99Ms).toFixed(2),
  ];
}

/** Prints lines of a table: each cell at least as wide as its column. */
export function tablePrinter(widths: readonly number[]) {
  return (cells: readonly string[]): void => {
    const line = cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('');
    process.stdout.write(`${line.trimEnd()}\n`);
  };
}
