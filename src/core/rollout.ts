import type { AnchorPlan } from './anchor.ts';
import { type Attempt, attemptShare } from './attempt.ts';
import type { ComparatorSetting } from './comparator-setting.ts';
import type { ConfigChange } from './config-change.ts';
import type { Evidence, Slice } from './evidence.ts';
import type { LabelPlan } from './label-evidence.ts';
import type { MirrorSetting, Share } from './route.ts';
import type { UnitRule } from './unit.ts';
import type { MetricName, Verdict } from './verdict.ts';

/** What a rollout claims: answers should not change, or answers will change and quality must not suffer. */
export type Intent = 'equivalent' | 'improve';

/** What labels must show for promotion: that the candidate is no worse by more than the margin, or that it is better. */
export type QualityClaim = 'noWorse' | 'superior';

/** How much worse is still acceptable, per metric. */
export type Margins = {
  /** `equivalent`: mean disagreement beyond stable's own noise. `improve`: mean disagreement beyond the rate measured offline. */
  readonly disagreement: number;
  /**
   * On the same requests the candidate's failure rate is at most `ratio` x stable's plus `absolute`. A number, as under rules 1, is
   * `absolute` at a ratio of 1.
   */
  readonly pairedErrors: number | { readonly ratio: number; readonly absolute: number };
  /** Candidate's mean loss minus stable's, per labelled pair, overall and per slice. */
  readonly labelledLoss: number;
  /**
   * A pair counts as slower when the candidate's run took more than max(ratio * twin, twin + floorMs). `blockMs`: pairs of so
   * long a time count as one measurement, since what slows one run down slows the next; absent under rules 1.
   */
  readonly pairedLatency: {
    readonly ratio: number;
    readonly floorMs: number;
    readonly blockMs?: number;
  };
  /** The candidate's error rate is at most `ratio` x the reference's plus `absolute`; with rules 1, at most the larger of the two. */
  readonly errors: { readonly ratio: number; readonly absolute: number };
  /**
   * How much more often the candidate may be slower than the reference's past `quantile` of total time. `blockMs`: requests of so
   * long a time count as one measurement; absent under rules 1.
   */
  readonly slowRequests: {
    readonly ratio: number;
    readonly quantile: number;
    readonly absolute: number;
    readonly blockMs?: number;
  };
};

/** Lengths of blocks where a specification names none. */
const SLOW_BLOCK_MS = 5_000;
const LATENCY_BLOCK_MS = 10_000;

export function slowBlockMsOf({ slowRequests }: Pick<Margins, 'slowRequests'>): number {
  return slowRequests.blockMs ?? SLOW_BLOCK_MS;
}

export function latencyBlockMsOf({ pairedLatency }: Pick<Margins, 'pairedLatency'>): number {
  return pairedLatency.blockMs ?? LATENCY_BLOCK_MS;
}

/** Both parts of the margin of failed pairs. */
export function pairedErrorsClaim({ pairedErrors }: Pick<Margins, 'pairedErrors'>): {
  readonly ratio: number;
  readonly absolute: number;
} {
  return typeof pairedErrors === 'number' ? { ratio: 1, absolute: pairedErrors } : pairedErrors;
}

export type Step =
  | { readonly kind: 'setMirror'; readonly percentage: number; readonly twin: number }
  | { readonly kind: 'setWeight'; readonly percent: number; readonly control: boolean }
  | {
      readonly kind: 'analysis';
      readonly require: readonly MetricName[];
      readonly reject: readonly MetricName[];
    }
  | { readonly kind: 'pause'; readonly durationMs: number | undefined }
  | { readonly kind: 'promote'; readonly holdback?: Holdback };

/** The part of the traffic, in percent, that stays on the former version after a promotion, and for how long. */
export type Holdback = { readonly percent: number; readonly durationMs: number };

/**
 * By which rules evidence is gathered and judged. A rollout keeps those that it began with, over restarts and upgrades, and its
 * ledger replays under them.
 */
export type RulesVersion = 1 | 2;

/** The rules that new rollouts begin with. */
export const RULES_VERSION: RulesVersion = 2;

/** What is to be tried and what it must show. Immutable once a rollout has begun. */
export type RolloutSpec = {
  readonly model: string;
  readonly stable: string;
  readonly candidate: string;
  readonly intent: Intent;
  /** Absent in what was begun before there was a choice: `noWorse`. */
  readonly claim?: QualityClaim;
  /** Groups of requests that are judged separately as well. */
  readonly slices: readonly Slice[];
  /** What is gated in those groups that name it, by `sliceKey`; another gates `labelledLoss`. Absent: none names any. */
  readonly sliceMetrics?: Readonly<Record<string, readonly MetricName[]>>;
  /** Groups that are only shown: they take no part of the error budget and decide nothing. Absent: there are none. */
  readonly reportedSlices?: readonly Slice[];
  readonly margins: Margins;
  /** Probabilities that the whole rollout may err with. */
  readonly errorBudget: { readonly falseRollback: number; readonly falsePromotion: number };
  /** Requests that the candidate's arm must have had before a `setWeight` step is left, besides what the step must show; 0: none. */
  readonly minRequests: number;
  /** How long a `setWeight` step lasts at least; absent in records of before: no time. */
  readonly minDurationMs?: number;
  /** The disagreement rate that gates measured offline, with its digest; undefined: none was measured. */
  readonly expectedDisagreement: { readonly rate: number; readonly digest: string } | undefined;
  readonly onInconclusive: 'pause' | 'rollback';
  readonly maxDurationMs: number;
  /** No required metric may take more samples; one that is improbable to be proven by then ends the trial. Absent: there is no maximum. */
  readonly maxSamples?: number;
  readonly steps: readonly Step[];
  /** Absent where no label window is declared: labels prove nothing then. */
  readonly labels?: LabelPlan;
  /** Salt of this rollout's hashes: the arm, the mirror coin and the evidence. */
  readonly salt: string;
  /** What counts as one unit. Absent in what was begun before rules 2. */
  readonly unit?: UnitRule;
  /** Absent in what was begun before rules had versions. */
  readonly rules?: RulesVersion;
  /** How answers are compared, as the configuration and the rollout say; it goes before what the package says. Absent: only that does. */
  readonly compare?: ComparatorSetting;
  /** The model's anchor as the rollout begins; absent in what was begun before there was one. */
  readonly anchor?: AnchorPlan;
  /** Percentage of the mirrored pairs that the anchor answers too, where it is neither of the two. Absent: none. */
  readonly anchorShare?: number;
  /** Counted as the rollout begins; absent: attempts were not counted. */
  readonly attempt?: Attempt;
};

/** All groups of requests that are counted separately. */
export function slicesOf({
  slices,
  reportedSlices = [],
}: Pick<RolloutSpec, 'slices' | 'reportedSlices'>): readonly Slice[] {
  return [...slices, ...reportedSlices];
}

/** The rules that a rollout began with. */
export function rulesOf({ rules = 1 }: RolloutSpec): RulesVersion {
  return rules;
}

/** The probability of a false promotion that this rollout may use: its part of the budget, where attempts are counted. */
export function falsePromotionOf({
  errorBudget: { falsePromotion },
  attempt,
}: Pick<RolloutSpec, 'errorBudget' | 'attempt'>): number {
  return attemptShare(attempt, falsePromotion)?.falsePromotion ?? falsePromotion;
}

/** The anchor of a rollout whose pairs it is to answer too: a third version, with a share of them. Undefined: there is none. */
export function anchorBeside(
  spec: Pick<RolloutSpec, 'stable' | 'candidate' | 'anchor' | 'anchorShare'>,
): { readonly version: string; readonly digest: string; readonly share: number } | undefined {
  const { stable, candidate, anchor, anchorShare: share = 0 } = spec;
  if (anchor === undefined || share === 0) return undefined;
  const { version, digest } = anchor;
  return version === stable || version === candidate ? undefined : { version, digest, share };
}

/** What counts as one unit, if a rollout does not say. */
export const DEFAULT_UNIT: UnitRule = { requests: 20, windowMs: 60_000 };

/** Where a rollout stands. The first four are alive; the rest are final. */
export type Phase =
  /** What the first step needs is being loaded: the trial begins once it is ready. */
  | { readonly kind: 'loading'; readonly sinceMs: number }
  | { readonly kind: 'progressing'; readonly step: number; readonly sinceMs: number }
  | {
      readonly kind: 'paused';
      readonly step: number;
      readonly sinceMs: number;
      readonly why: string;
      /** Paused by command: only a command ends it, also in a `pause` step that has a duration. Absent: by a step or a verdict. */
      readonly isByCommand?: true;
    }
  /** The candidate is stable, and a part of the traffic stays on the former version until then. */
  | {
      readonly kind: 'holdback';
      readonly step: number;
      readonly sinceMs: number;
      readonly untilMs: number;
      /** The part of its time that is judged by itself as well, from the second on. */
      readonly part?: { readonly number: number; readonly sinceMs: number };
    }
  /** `why`: where a fault ended the holdback early. */
  | { readonly kind: 'promoted'; readonly atMs: number; readonly why?: string }
  | {
      readonly kind: 'rolledBack';
      readonly atMs: number;
      readonly why: string;
      readonly decidedBy: readonly string[];
    }
  | { readonly kind: 'aborted'; readonly atMs: number; readonly why: string };

/**
 * One trial of one candidate. `atMs`, `sinceMs` and `startedMs` are wall-clock milliseconds; the trial has started when what its
 * first step needs was ready, and while that is being loaded, when it was asked for.
 */
export type Rollout = {
  readonly id: string;
  readonly spec: RolloutSpec;
  readonly phase: Phase;
  readonly startedMs: number;
  /** Requests that the candidate's arm had when the present step began, per the evidence. */
  readonly candidateRequestsAtStep: number;
  /**
   * What live traffic had shown when the present step, or part of a holdback, began: a step is left on what it has seen itself.
   * Absent under rules 1.
   */
  readonly liveAtStep?: LiveMark;
  /** When its holdback began, also once that is over: its evidence is from then on. Absent where there was none. */
  readonly heldBackSinceMs?: number;
};

/** The part of the evidence that separates what came later from what came before. `liveFelt`: of parts of a holdback. */
export type LiveMark = Pick<Evidence, 'live' | 'liveErrors' | 'liveFelt'>;

/** What is to be done next, decided by a pure function and carried out by the controller. */
export type Action =
  /** `asks`: webhooks are to confirm what is proven. Absent where none is asked. */
  | { readonly kind: 'wait'; readonly why: string; readonly asks?: 'promotion' }
  | { readonly kind: 'enterStep'; readonly step: number; readonly why: string }
  | { readonly kind: 'pause'; readonly why: string }
  | { readonly kind: 'promote'; readonly why: string }
  | { readonly kind: 'rollBack'; readonly why: string; readonly decidedBy: readonly string[] };

/** True once nothing more will happen to the rollout by itself. */
export function isFinal(phase: Phase): boolean {
  return phase.kind === 'promoted' || phase.kind === 'rolledBack' || phase.kind === 'aborted';
}

/** True for a trial that ended only because its time was over: it can continue with its evidence. */
export function endedOutOfTime({ phase }: Pick<Rollout, 'phase'>): boolean {
  return phase.kind === 'rolledBack' && phase.decidedBy.join() === 'maxDuration';
}

/** Who gave a command: `anonymous` where authentication is off, and the IP address that it came from. */
export type CommandBy = { readonly caller: string; readonly address: string };

/** Asked for from outside; applied by the controller only. */
export type Command = CommandKind & {
  /** Absent in records of before, and where the gateway's own process gave it (a signal). */
  readonly by?: CommandBy;
};

type CommandKind =
  | { readonly kind: 'start'; readonly spec: RolloutSpec }
  | { readonly kind: 'promote'; readonly model: string; readonly reason: string }
  | { readonly kind: 'abort'; readonly model: string; readonly reason: string }
  /** Goes back to the version before: in a holdback, and once promoted. */
  | {
      readonly kind: 'undo';
      readonly model: string;
      readonly reason: string;
      /** The promotion that is meant: another is not undone in its place. Absent: the last one. */
      readonly rolloutId?: string;
    }
  /** Holds a rollout in its step, with its traffic as it is, until it is resumed. Proof of harm rolls back all the same. */
  | { readonly kind: 'pause'; readonly model: string; readonly reason: string }
  /** Ends a pause: a `pause` step is left, any other step resumes. */
  | { readonly kind: 'resume'; readonly model: string; readonly reason: string }
  /** Gives a trial, or its holdback, so many more milliseconds from now on; one that ended or paused because its time was over continues with its evidence. */
  | {
      readonly kind: 'extend';
      readonly model: string;
      readonly reason: string;
      readonly forMs: number;
    }
  /** Makes a version the one that allowed loss adds up against. */
  | {
      readonly kind: 'setAnchor';
      readonly model: string;
      readonly version: string;
      /** Of its package. */
      readonly digest: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'setRoute';
      readonly model: string;
      /** The revision that the caller saw; the command is refused if the route has moved on since. */
      readonly revision: number;
      readonly stable: string;
      readonly shares: readonly Share[];
      readonly mirror: MirrorSetting | undefined;
    }
  /** The configuration was read again: what of it is applied, and the routes that it changes. */
  | {
      readonly kind: 'reloadConfig';
      /** Who asked: `SIGHUP` or `admin`. */
      readonly actor: string;
      readonly reason: string;
      readonly changes: readonly ConfigChange[];
      /** Applied changes beyond those that are listed. */
      readonly changesOmitted: number;
      readonly routes: readonly RouteSetting[];
    };

/** Where a model's traffic goes, as a request asks for it. */
export type RouteSetting = {
  readonly model: string;
  readonly stable: string;
  readonly shares: readonly Share[];
  readonly mirror: MirrorSetting | undefined;
};

/** A fault seen outside the statistics that ends a trial immediately. */
export type BreakerTrip = {
  readonly cause: 'crashLoop' | 'outOfMemory' | 'loadFailed';
  readonly detail: string;
};

/** A verdict and what followed from it, as the ledger keeps it. `atMs` is the wall clock that the action was chosen by. */
export type Decision = {
  readonly atMs: number;
  readonly verdict: Verdict;
  readonly action: Action;
};
