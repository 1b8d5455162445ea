import type { Clock } from '../core/clock.ts';
import type { ProviderReport } from '../core/provider.ts';
import type { VersionState } from '../core/version.ts';
import type { Birth } from './birth.ts';
import type { ExecutorListeners, ExecutorSetting } from './executor.ts';
import type { LoadBounds } from './load-bounds.ts';
import type { ChildExit } from './process.ts';

/** An unexpected exit. `isRestarting`: false where the crash loop has been given up. */
export type Crash = ChildExit & { readonly inFlight: number; readonly isRestarting: boolean };

/** A child whose load takes too long, or is given up, is killed. */
export type SupervisorOptions = LoadBounds & {
  readonly setting: Omit<ExecutorSetting, 'firstBatchId'>;
  /** Rejects where what would be loaded is not what was read. Asked before each start of a child, the first included. */
  readonly checkFiles?: (() => Promise<void>) | undefined;
  readonly birth: Birth;
  readonly clock: Clock;
  /** What a crash loop leads to: no more restarts (a candidate), or restarts at long intervals (live traffic needs it). */
  readonly afterCrashLoop: 'giveUp' | 'keepTrying';
  /** Hold requests that arrive during a short restart, instead of refusing them. */
  readonly holdDuringRestart: boolean;
  readonly listeners: SupervisorListeners;
};

export type SupervisorListeners = Pick<
  ExecutorListeners,
  'onBatch' | 'onJoining' | 'onRecheck' | 'onInternalError'
> & {
  readonly onState: (state: VersionState) => void;
  /** What each source runs on, after each load. */
  readonly onProvider: (source: number, provider: ProviderReport) => void;
  readonly onCrash: (crash: Crash) => void;
  readonly onCrashLoop: (detail: string) => void;
};
