import type { Entry, QueueLimits } from '../batching/queue.ts';
import type { Joining } from '../core/joining.ts';
import type { Planned } from '../core/work.ts';
import type { WorkerReport } from '../engine/worker.ts';
import type { Source } from '../runtime/runtime.ts';
import type { JoiningSetting, OnJoining } from './joinings.ts';

/** Runs requests, in this process or in a child process. */
export type Executor = {
  readonly models: WorkerReport['models'];
  /** Whether requests share runs, by source. */
  readonly joinings: () => readonly Joining[];
  /**
   * Queues a request, settles it exactly once, and returns a function that cancels it. Throws ServeError if it is not queued.
   */
  readonly submit: (planned: Planned, settle: Pick<Entry, 'resolve' | 'reject'>) => () => void;
  /** Refuses new requests; resolves when the queued ones are settled and everything is released. */
  readonly close: () => Promise<void>;
};

/** What an executor needs. Plain data, sent to a child process as it is. */
export type ExecutorSetting = {
  /** What each replica opens; a request's plan names them by their place. */
  readonly sources: readonly Source[];
  /** One for each source. */
  readonly joinings: readonly JoiningSetting[];
  readonly replicas: number;
  readonly batch: { readonly rowsMax: number; readonly delayMs: number };
  readonly queue: QueueLimits;
  readonly runMsMax: number;
  readonly firstBatchId: number;
};

/** Called by an executor while it works. */
export type ExecutorListeners = {
  readonly onBatch: (batch: { rows: number; requests: number; computeMs: number }) => void;
  /** The rows of a source are probed from now on, until `onJoining` says what was found. */
  readonly onProbe: (source: number) => void;
  /** What is found of a source's rows. */
  readonly onJoining: OnJoining;
  /** A joined request was run again alone, and got the same answer or another. */
  readonly onRecheck: (isSame: boolean) => void;
  readonly onStuck: (runMs: number) => void;
  readonly onInternalError: (operation: string, error: unknown) => void;
};
