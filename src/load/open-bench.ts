import type { Generator } from './engine/generator.ts';
import type { Arm, Bench, LoadOrder } from './modes/bench.ts';
import type { LoadProgress } from './nouns/load-report.ts';
import type { LoadPlan } from './nouns/plan.ts';
import type { Measured } from './nouns/result.ts';
import type { Target } from './nouns/target.ts';
import { readCounts } from './target/ask.ts';
import { splitBetween } from './target/counts.ts';

/** What one arm is asked, and how. */
export type ArmLoad = { readonly target: Target } & Pick<LoadPlan, 'wire' | 'requests' | 'check'>;

/** What holds for every load of a bench. */
export type BenchTerms = Pick<LoadPlan, 'inFlightMax' | 'deadlineMs' | 'timeoutMs'>;

export type BenchParts = {
  readonly generator: Generator;
  readonly a: ArmLoad;
  /** undefined: there is only A. */
  readonly b: ArmLoad | undefined;
  readonly terms: BenchTerms;
  readonly print: (line: string) => void;
  /** A few times a second, with the load that is under way. */
  readonly watch: (progress: LoadProgress, order: LoadOrder) => void;
  /** Aborted: no further load starts, and the one under way ends. */
  readonly signal: AbortSignal;
  /** Aborted: the load under way ends early and is reported as far as it came. */
  readonly enough?: AbortSignal;
};

/** The bench of real servers: each load is run by the generator, with the server's own counts taken before and after. */
export function openBench(parts: BenchParts): Bench {
  const { generator, terms, signal, enough = signal } = parts;
  return {
    signal,
    print: parts.print,
    load: async (arm, order, onElapsed): Promise<Measured> => {
      const { deadlineMs = terms.deadlineMs, ...when } = order;
      const { target, ...what } = armOf(parts, arm);
      const before = await readCounts(target);
      const watch = (progress: LoadProgress): void => {
        onElapsed?.(progress.elapsedMs);
        parts.watch(progress, order);
      };
      const report = await generator.run({ ...terms, ...what, ...when, deadlineMs }, watch, enough);
      const after = await readCounts(target);
      return { report, server: before && after && splitBetween(before, after) };
    },
  };
}

function armOf({ a, b }: BenchParts, arm: Arm): ArmLoad {
  if (arm === 'A') return a;
  if (b === undefined) throw new Error('expected a B to load, found only A');
  return b;
}
