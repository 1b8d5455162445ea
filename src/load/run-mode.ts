import type { Bench } from './modes/bench.ts';
import { compare } from './modes/compare.ts';
import { run } from './modes/run.ts';
import { SLO_DEFAULTS, slo } from './modes/slo.ts';
import { soak } from './modes/soak.ts';
import { SWEEP_DEFAULTS, sweep } from './modes/sweep.ts';
import type { BenchRequest, ModeRequest } from './nouns/bench-request.ts';
import type { ModeResult } from './nouns/result.ts';
import { memoryOf } from './target/process-memory.ts';

/** At a low rate it takes longer to see enough requests, within reason. */
const POINT_TIMES_MAX = 6;

/** Runs the mode that a request names, with a bench that is ready to load its servers. Throws as the mode does. */
export async function runMode(
  bench: Bench,
  { mode, seed, warmupMs }: Pick<BenchRequest, 'mode' | 'seed' | 'warmupMs'>,
): Promise<ModeResult> {
  switch (mode.kind) {
    case 'run':
      return run(bench, { ...orderOf(mode, warmupMs), seed });
    case 'sweep': {
      const { ofCapacity, pointMs } = mode;
      const pointMsMax = POINT_TIMES_MAX * pointMs;
      const loopMs = Math.min(pointMs, SWEEP_DEFAULTS.loopMs);
      return sweep(bench, { ofCapacity, pointMs, pointMsMax, loopMs, warmupMs, seed });
    }
    case 'compare': {
      const { arrivals, rounds, blockMs, confidence } = mode;
      return compare(bench, { arrivals, rounds, blockMs, confidence, seed, warmupMs });
    }
    case 'slo': {
      const { kind: _, proofMs, ...claim } = mode;
      const searchMs = Math.min(proofMs, SLO_DEFAULTS.searchMs);
      const loadMsMax = Math.max(proofMs, SLO_DEFAULTS.loadMsMax);
      return slo(bench, { ...claim, proofMs, searchMs, loadMsMax, seed, warmupMs });
    }
    case 'soak': {
      const { watchPid } = mode;
      const sampleMemory = watchPid === undefined ? undefined : () => memoryOf(watchPid);
      return soak(bench, { ...orderOf(mode, warmupMs), seed, sampleMemory });
    }
  }
}

function orderOf(
  { arrivals, measuredMs }: ModeRequest & { kind: 'run' | 'soak' },
  warmupMs: number,
) {
  return { arrivals, durationMs: warmupMs + measuredMs, warmupMs };
}
