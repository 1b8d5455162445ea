import type { Evidence, UnitBits } from './evidence.ts';
import type { HookAnswers } from './hook-answers.ts';
import type { ModelHistory } from './model-history.ts';
import type { BreakerTrip, Command, Decision, Phase, Rollout } from './rollout.ts';
import type { Route } from './route.ts';

/**
 * Units that have counted since the record before, which is all that a record says of them: the evidence beside it has none. Filters by
 * level: `=` and all of its bits, or `+` and those that were added (see `rollout/history/new-units.ts`).
 */
export type NewUnits = {
  readonly filters: Readonly<Partial<Record<'live' | 'pair' | 'labels' | 'liveLoss', UnitBits>>>;
  /** Hashes of units that have had their first error, and their first slow request. */
  readonly erred: readonly string[];
  readonly slow: readonly string[];
};

/**
 * A look at the evidence: all that is judged of it, the verdict, the action, and the phase that follows. Written before the action is
 * carried out, so that a restart carries out what was decided and decides nothing twice. `rollout/history/recorded-look.ts` makes it whole.
 */
export type DecisionBody = {
  readonly kind: 'decision';
  readonly rolloutId: string;
  readonly decision: Decision;
  /** What webhooks had said; absent where none is asked about the model. */
  readonly hooks?: HookAnswers | undefined;
} & (
  | {
      readonly evidence: Evidence;
      readonly changed?: undefined;
      /** Absent in records of before and under rules 1, where the evidence has all units. */
      readonly newUnits?: NewUnits;
      readonly before: Rollout;
      readonly after: Rollout;
    }
  | {
      /** What of the evidence is not as at the look before; see `rollout/history/json-change.ts`. */
      readonly changed: Readonly<Record<string, unknown>>;
      readonly newUnits: NewUnits;
      /** Absent where the rollout stays as it stood. */
      readonly before?: Rollout;
      readonly after?: Rollout;
    }
);

/**
 * What all records before it come to, so that a start needs to read only what follows. It can be computed from them again, and replay does.
 * A file of the ledger that begins with one can be read without those before.
 */
export type Checkpoint = {
  readonly kind: 'checkpoint';
  /** Of `models`. A form never changes: one that says more has another number. */
  readonly form: 1;
  readonly models: Readonly<Record<string, ModelHistory>>;
};

/** What the ledger keeps. Each kind carries all that is needed to recompute or to resume what it says. */
export type RecordBody =
  /** A model's route as it stands from here on. */
  | { readonly kind: 'route'; readonly route: Route; readonly why: string }
  /** A trial is asked for and is being loaded. The digests name the packages on trial. */
  | {
      readonly kind: 'rolloutStarted';
      readonly rollout: Rollout;
      readonly digests: { readonly stable: string; readonly candidate: string };
      /** What the two compute, without metadata; absent in records of before. Attempts are counted by it. */
      readonly weights?: { readonly stable: string; readonly candidate: string };
    }
  /** What the first step of a trial needs is ready: the trial begins at this moment of the wall clock, milliseconds. */
  | { readonly kind: 'rolloutLoaded'; readonly rolloutId: string; readonly startedMs: number }
  | DecisionBody
  | Checkpoint
  /**
   * Somebody asked for something, and what came of it. `givenMs`, wall clock: when it was given and carried out, where the ledger
   * took no records then.
   */
  | {
      readonly kind: 'command';
      readonly command: Command;
      readonly refused: string | undefined;
      readonly givenMs?: number;
    }
  /**
   * Who may call has changed, a browser has signed in to the admin port, or out, or the kept examples of a unit were deleted.
   * Nothing about a version follows from it.
   */
  | {
      readonly kind: 'access';
      readonly what:
        | 'keyAdded'
        | 'keyChanged'
        | 'keyRevoked'
        | 'keyRemoved'
        | 'signedIn'
        | 'signedOut'
        | 'examplesForgotten';
      /** The caller that it is about: `key:batch`. */
      readonly caller: string;
      /** The public part of the key, where it is about one. */
      readonly keyId?: string;
      /** Absent where a file has changed. */
      readonly address?: string;
      /** Of deleted examples: of which model, and how many. Whose they were is not recorded. */
      readonly model?: string;
      readonly examples?: number;
    }
  /** A fault outside the statistics ended or stopped a trial. */
  | {
      readonly kind: 'breaker';
      readonly rolloutId: string;
      readonly trip: BreakerTrip;
      readonly phase: Phase;
    };

/** One line of the ledger. `hash` covers all other fields, `previous` included: the records form a chain. */
export type LedgerRecord = {
  readonly index: number;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  readonly body: RecordBody;
  /** The hash of the record before; 64 zeros for the first. */
  readonly previous: string;
  readonly hash: string;
};
