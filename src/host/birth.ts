import { readFileSync, writeFileSync } from 'node:fs';

/** What the system gives a child process at its start, and at each restart. */
export type Birth = {
  /** What the child is started for, as `ps` shows it behind the name of the program; by default nothing. */
  readonly label?: string | undefined;
  /** Added to the gateway's niceness, 0 to 19; 0: as the gateway. systemd's Nice. */
  readonly nice: number;
  /** Added to the gateway's `oom_score_adj`, 0 to 1000: the highest is killed first where memory runs out. Linux only. systemd's OOMScoreAdjust. */
  readonly oomScoreAdj: number;
  /** Max resident bytes; beyond, the child is killed. Undefined: only the system's limit. Linux only. systemd's MemoryMax. */
  readonly memoryBytesMax?: number | undefined;
  /** Environment variables, in addition to the fixed ones below. The child inherits none. */
  readonly environment: Readonly<Record<string, string>>;
};

/** The part of `Birth` that changes while the child runs, when the version takes another role. */
export type ProcessRole = Pick<Birth, 'label' | 'oomScoreAdj'>;

const OOM_SCORE_ADJ_MAX = 1_000;

/**
 * The path is for `nice`. Memory for large requests comes and goes with each of them: the allocator keeps up to 32 MiB of it at
 * hand, since taking it page by page from the system costs more than filling it.
 */
const OWN_VARIABLES = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  MALLOC_MMAP_THRESHOLD_: String(32 * 1024 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(32 * 1024 * 1024),
};

export function variablesOf({ environment }: Birth): Record<string, string> {
  return { ...environment, ...OWN_VARIABLES };
}

/** Best effort: a system without `/proc`, or one that forbids it, leaves the child as killable as it is. */
export function setOomScore(pid: number | undefined, { oomScoreAdj }: ProcessRole): void {
  if (pid === undefined) return;
  try {
    const own = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'));
    const adjusted = Math.min(OOM_SCORE_ADJ_MAX, own + oomScoreAdj);
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(adjusted));
  } catch {
    // The child may have ended already; its exit is reported elsewhere.
  }
}
