import type { Spread } from './blocks.ts';

/** One measured thing: the figure of each block, and what it is held against. */
export type Figure = {
  readonly name: string;
  readonly unit: 'ratio' | 'per second' | 'ms' | 'µs' | 'percent';
  readonly spread: Spread;
  readonly goal?: { readonly atLeast: number } | { readonly atMost: number };
};

/** What one suite measured, and under which conditions. Plain data: it is kept as JSON. */
export type SuiteResult = {
  readonly suite: string;
  readonly title: string;
  /** Whatever a reader needs to judge the figures or to take them again. */
  readonly conditions: Readonly<Record<string, string | number>>;
  readonly figures: readonly Figure[];
};

/** How long a suite measures. */
export type Effort = {
  /** Rounds of interleaved blocks; each kind of block is measured once in each. */
  readonly rounds: number;
  readonly blockMs: number;
  /** Before each block, not measured. */
  readonly warmupMs: number;
};

export type Suite = {
  readonly name: string;
  readonly title: string;
  readonly effort: Effort;
  readonly run: (effort: Effort, tell: (line: string) => void) => Promise<SuiteResult>;
};

/** The figure as people read it. */
export function formatFigure(value: number, unit: Figure['unit']): string {
  const digits = unit === 'ratio' ? 3 : unit === 'per second' ? 0 : unit === 'percent' ? 1 : 2;
  return value.toFixed(digits);
}

export function formatGoal({ goal }: Figure): string {
  if (goal === undefined) return '';
  return 'atLeast' in goal ? `at least ${goal.atLeast}` : `at most ${goal.atMost}`;
}
