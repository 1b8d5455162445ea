import type { Answer } from '../core/work.ts';
import type { Entry } from './queue.ts';
import { scatter, selectOutputs } from './scatter.ts';
import type { BatchResult } from './work.ts';

type Hits = NonNullable<BatchResult['nonFinite']>;

/** A batch that has been run, and the moment at which its run began. */
export type Done = {
  readonly runs: BatchResult['runs'];
  readonly nonFinite: Hits | undefined;
  readonly batch: readonly Entry[];
  readonly startedMs: number;
  readonly id: number;
  readonly rows: number;
};

/** Rows of each request of a batch, where one of them asks for a scan of its answer; else none. */
export function scannedRowsOf(batch: readonly Entry[]): readonly number[] {
  return batch.some(({ work }) => work.scan) ? batch.map(({ rows }) => rows) : NOT_SCANNED;
}

const NOT_SCANNED: readonly number[] = [];

/** One answer for each request of the batch. Throws ScatterError. */
export function shareOut({
  batch,
  runs,
  nonFinite = [],
  startedMs,
  id,
  rows,
}: Done): readonly Answer[] {
  let start = 0;
  const ranges = batch.map((entry) => {
    const range = { start, rows: entry.rows };
    start += entry.rows;
    return range;
  });
  const shares = runs.map((run) => (run.kind === 'answer' ? scatter(run.outputs, ranges) : []));
  return batch.map((entry, at) => ({
    runs: runs.map((run, source) => {
      if (run.kind === 'failure') return run;
      const outputs = selectOutputs(shares[source]?.[at] ?? [], entry.work.outputs);
      const answer = { kind: 'answer', outputs, computeMs: run.computeMs } as const;
      const hits = nonFinite.filter((hit) => hit.run === source && hit.request === at);
      const names = outputs.map(({ name }) => name).filter((name) => isHit(hits, name));
      return names.length === 0 ? answer : { ...answer, nonFinite: names };
    }),
    queueMs: startedMs - entry.enqueuedMs,
    batch: { id, rows },
  }));
}

function isHit(hits: Hits, name: string): boolean {
  return hits.some(({ output }) => output === name);
}
