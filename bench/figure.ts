import type { LinePlot } from '../src/plots/lines.ts';
import type { Spread } from './blocks.ts';
import type { Effort } from './effort.ts';
import type { Loads } from './loads.ts';
import type { Workplace } from './workplace.ts';

/** One measured thing: the figure of each block, and what it is held against. */
export type Figure = {
  readonly name: string;
  readonly unit: 'ratio' | 'per second' | 'ms' | 'µs' | 'percent' | 'requests';
  readonly spread: Spread;
  readonly goal?: Goal;
  /** The same figure of one side over itself, in blocks of the same rounds: its distance from 1 is the noise of the machine. */
  readonly aaControl?: Spread;
};

export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** What a table cannot show: a line plot, which is kept as plain data. `name` is a part of the picture's file name. */
export type Curve = { readonly name: string; readonly plot: LinePlot };

/** What one suite measured, and under which conditions. Plain data: it is kept as JSON. */
export type Measurement = {
  /** What a reader needs to judge or to repeat the measurement. */
  readonly conditions: Readonly<Record<string, string | number>>;
  readonly figures: readonly Figure[];
  readonly curves?: readonly Curve[];
};

/** A measurement with the suite that made it, and what the load generator says of its loads. */
export type SuiteResult = Measurement & {
  readonly suite: string;
  readonly title: string;
  /** How much was measured, as asked for. */
  readonly effort: Effort;
  readonly loads: Loads;
};

export type Suite = {
  readonly name: string;
  readonly title: string;
  readonly effort: Effort;
  /** Everything that is started in the workplace ends with it. */
  readonly run: (workplace: Workplace, effort: Effort) => Promise<Measurement>;
};

/** The figure as text, with the digits of its unit. */
export function formatFigure(value: number, unit: Figure['unit']): string {
  return value.toFixed(DIGITS[unit]);
}

const DIGITS: Readonly<Record<Figure['unit'], number>> = {
  ratio: 3,
  'per second': 0,
  ms: 2,
  µs: 2,
  percent: 2,
  requests: 0,
};

export function formatGoal(goal: Goal | undefined): string {
  if (goal === undefined) return '';
  return 'atLeast' in goal ? `at least ${goal.atLeast}` : `at most ${goal.atMost}`;
}
