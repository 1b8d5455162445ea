import type { Planned } from '../core/work.ts';
import { mayShare } from './work.ts';

/** What the planner looks at; the queue's entries have more. */
export type Candidate = Planned & {
  readonly rows: number;
  /** Must run in a batch of its own. */
  readonly alone: boolean;
};

export type PlanOptions = {
  readonly nowMs: number;
  readonly rowsMax: number;
  /** The expected time of a run of so many rows, in milliseconds. */
  readonly runMs: (rows: number) => number;
  /** Run the first request even if it is expected to be late: nothing has run for so long that the expectation may be stale. */
  readonly probe: boolean;
};

export type BatchPlan<T> = {
  /** What to run together, in the order in which it waited; empty only where everything is late. */
  readonly batch: readonly T[];
  readonly rows: number;
  /** Requests that cannot be answered in time, even if they ran alone and now. */
  readonly late: readonly T[];
};

/**
 * Chooses the next batch from what waits, in the order of its turns: the first request that can still be answered in time, and after it
 * all that may share its run, as long as rows fit and no chosen request would be late for it. What may not share waits for its turn.
 * Stops looking once the batch is full.
 */
export function planBatch<T extends Candidate>(
  waiting: Iterable<T>,
  options: PlanOptions,
): BatchPlan<T> {
  const late: T[] = [];
  const draft: Draft<T> = { batch: [], rows: 0, earliestMs: Number.POSITIVE_INFINITY };
  for (const entry of waiting) {
    if (isLate(entry, options, draft.batch.length === 0)) late.push(entry);
    else if (mayJoin(entry, draft, options)) join(entry, draft);
    if (draft.rows >= options.rowsMax || draft.batch[0]?.alone) break;
  }
  return { batch: draft.batch, rows: draft.rows, late };
}

/** A batch in the making, and the earliest deadline in it. */
type Draft<T> = { readonly batch: T[]; rows: number; earliestMs: number };

function mayJoin<T extends Candidate>(entry: T, draft: Draft<T>, options: PlanOptions): boolean {
  const [head] = draft.batch;
  if (head === undefined) return true;
  const rows = draft.rows + entry.rows;
  if (entry.alone || rows > options.rowsMax || !mayShare(head, entry)) return false;
  const endMs = options.nowMs + options.runMs(rows);
  return options.probe || endMs <= Math.min(draft.earliestMs, entry.work.deadlineMs);
}

function join<T extends Candidate>(entry: T, draft: Draft<T>): void {
  draft.batch.push(entry);
  draft.rows += entry.rows;
  draft.earliestMs = Math.min(draft.earliestMs, entry.work.deadlineMs);
}

/** Past its deadline, or expected to be by the end of a run of its own. */
function isLate(entry: Candidate, options: PlanOptions, first: boolean): boolean {
  const { deadlineMs } = entry.work;
  if (deadlineMs <= options.nowMs) return true;
  if (first && options.probe) return false;
  return options.nowMs + options.runMs(entry.rows) > deadlineMs;
}
