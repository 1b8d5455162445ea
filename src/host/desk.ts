import type { Entry, QueueLimits } from '../batching/queue.ts';
import type { Joining } from '../core/joining.ts';
import type { Planned } from '../core/work.ts';
import type { WorkerReport } from '../engine/worker.ts';
import type { Source } from '../runtime/runtime.ts';
import type { JoiningSetting, OnJoining } from './joinings.ts';

/** Where requests are handed in, whichever side of a process border the work is done on. */
export type Desk = {
  readonly models: WorkerReport['models'];
  /** Whether requests share runs, by source. */
  readonly joinings: () => readonly Joining[];
  /**
   * Takes a request, settles it exactly once, and returns how to withdraw it. Throws ServeError where it is not taken at all.
   */
  readonly submit: (planned: Planned, settle: Pick<Entry, 'resolve' | 'reject'>) => () => void;
  /** Takes nothing new and resolves when all that was taken is settled and everything is released. */
  readonly close: () => Promise<void>;
};

/** How a desk is to be set up. Plain data: it crosses the process border. */
export type DeskSetting = {
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

/** What is told of a desk while it works. */
export type DeskListeners = {
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
