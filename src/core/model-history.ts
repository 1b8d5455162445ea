import type { Anchor } from './anchor.ts';
import type { Evidence } from './evidence.ts';
import type { HookAnswers } from './hook-answers.ts';
import type { CommandBy, Decision, Rollout } from './rollout.ts';
import type { MirrorSetting, Route, Share } from './route.ts';

/** Digests of what the two versions of a trial compute, without metadata. */
export type Weights = { readonly stable: string; readonly candidate: string };

/** A trial that has begun: what was tried over what, and when (wall clock, milliseconds). */
export type PastAttempt = { readonly weights: Weights; readonly atMs: number };

/** One trial as recorded. */
export type Trial = {
  readonly rollout: Rollout;
  readonly digests: { readonly stable: string; readonly candidate: string };
  /** What the two compute; undefined in records of before. */
  readonly weights: Weights | undefined;
  /** As of the last recorded look. */
  readonly evidence: Evidence;
  readonly decision: Decision | undefined;
  /** What webhooks had said by then; absent: none was asked. */
  readonly hooks?: HookAnswers | undefined;
  /** Who gave the last command about it; absent: none was given, or it was not known. */
  readonly by?: CommandBy | undefined;
  /** The step that it is in, or was in when it ended; from 0. */
  readonly step: number;
  /** The last record about it. */
  readonly lastRecord: { readonly index: number; readonly atMs: number; readonly hash: string };
};

/** A route set by command. */
export type RouteChange = {
  readonly stable: string;
  readonly shares: readonly Share[];
  readonly mirror: MirrorSetting | undefined;
};

/**
 * What a record said was to be done to a model's route and no later record says was done: the owed work of a process that
 * died between the two.
 */
export type Owed =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'rollout' }
  | { readonly kind: 'setRoute'; readonly change: RouteChange };

export type ModelHistory = {
  /** The last recorded route; undefined while none was recorded. */
  readonly route: Route | undefined;
  /** Whether that route was chosen because there was none, and no route was set and no rollout started since. */
  readonly isChoice: boolean;
  /** Oldest first; the last one may be alive. */
  readonly trials: readonly Trial[];
  readonly trialsStarted: number;
  /** Trials that have begun of late, by what was tried. Oldest first. */
  readonly attempts: readonly PastAttempt[];
  /** What allowed loss adds up against; undefined before the first rollout. */
  readonly anchor: Anchor | undefined;
  readonly owed: Owed;
};
