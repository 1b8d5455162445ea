import { checkAuthority, labellerOf } from '../capture/label-authority.ts';
import type { LabelFolder } from '../capture/label-folder.ts';
import type { FeedbackTokens } from '../capture/token.ts';
import type { Clock } from '../core/clock.ts';
import { ANONYMOUS } from '../core/entrance.ts';
import { type Evidence, type FailuresByArm, NO_EVIDENCE } from '../core/evidence.ts';
import type { FailureKind } from '../core/failure-kind.ts';
import { judgedSpec } from '../core/holdback.ts';
import type { LabelSource } from '../core/label-source.ts';
import type { LabelState } from '../core/label-state.ts';
import type { MirrorEvent, MirrorTarget, Order, RolloutReport } from '../core/messages.ts';
import type { MirrorHealth } from '../core/mirror-health.ts';
import {
  anchorBeside,
  endedOutOfTime,
  isFinal,
  type Rollout,
  type RolloutSpec,
} from '../core/rollout.ts';
import type { ModelVersion } from '../core/version.ts';
import type { WantedLabel } from '../core/wanted-label.ts';
import { type Contestant, type Contestants, whyNotComparable } from './comparable.ts';
import {
  type LabelSettings,
  RolloutObserver,
  type RolloutObserverOptions,
} from './rollout-observer.ts';

export type RolloutObserversOptions = {
  /** Undefined while the repository lacks the version. */
  readonly contestant: (target: ModelVersion) => Contestant | undefined;
  /** Of a model, as configured at present. */
  readonly labelSettings: (model: string) => LabelSettings;
  /** Where what waits for labels outlives the process; without it, it does not. */
  readonly labelFolder?: Pick<LabelFolder, 'open'> | undefined;
  /** How long the mirror lets a copy wait and run at most, milliseconds; by default 65 s. */
  readonly mirrorLongestMs?: number;
  /** What keeps examples of a rollout's pairs; by default none are kept. */
  readonly openExamples?: (
    rollout: Rollout,
    stable: Contestant,
  ) => RolloutObserverOptions['keepExample'];
  readonly clock: Clock;
  readonly tokens: Pick<FeedbackTokens, 'read'>;
  /** Takes `rollout` orders. */
  readonly order: (order: Order) => void;
  /** Called for every eligible request of the mirror, on trial or not. */
  readonly onMirror: (event: MirrorEvent, target: ModelVersion) => void;
  /** Called for each failed request of an arm of a trial, with the version that failed; by default not. */
  readonly onFailure?: (target: ModelVersion, failure: ArmFailure) => void;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** A request by the id that its caller gave it. */
type NamedRequest = { readonly id: string; readonly model: string };

/** States of labels that can move a verdict. */
const SAYS_SOMETHING: ReadonlySet<LabelState> = new Set(['joined', 'waiting', 'conflicting']);

type ArmFailure = { readonly arm: keyof FailuresByArm; readonly kind: FailureKind };

/** The deciding side of rollouts: takes what the serving side reports, and holds what each rollout has seen. */
export class RolloutObservers {
  readonly #options: RolloutObserversOptions;
  /** By model: one rollout at a time. */
  readonly #observers = new Map<string, RolloutObserver>();
  /** By model: a rollout that ended as its time was over. While it may be extended, labels of its answers are taken. */
  readonly #extendable = new Map<string, RolloutObserver>();

  constructor(options: RolloutObserversOptions) {
    this.#options = options;
  }

  /** Takes a report; those on another rollout than the open one count for none. An error in it is reported and holds nothing up. */
  receive(report: RolloutReport): void {
    try {
      this.#take(report);
    } catch (thrown) {
      this.#options.onInternalError(`report ${report.kind}`, thrown);
    }
  }

  /**
   * A rollout begins, resumes with evidence of an earlier process, or is extended. One that has ended takes labels only, until it is
   * extended or another one begins.
   */
  open(rollout: Rollout, from: Evidence): void {
    const { model } = rollout.spec;
    const kept = this.#extendable.get(model);
    this.#extendable.delete(model);
    if (kept !== undefined && kept.rolloutId !== rollout.id) void kept.close(true);
    const observer = kept?.rolloutId === rollout.id ? kept : this.#created(rollout, from);
    if (observer === undefined) return;
    if (isFinal(rollout.phase)) {
      this.#extendable.set(model, observer);
      return;
    }
    this.#observers.set(model, observer);
    this.#options.order({ kind: 'rollout', model, rolloutId: rollout.id, isOpen: true });
  }

  #created(rollout: Rollout, from: Evidence): RolloutObserver | undefined {
    const { labelSettings, labelFolder, clock, order, onInternalError } = this.#options;
    const { model, stable, candidate } = rollout.spec;
    // Of a rollout that begins its holdback: what its trial has seen, and waits for, decides nothing more.
    void this.#observers.get(model)?.close(true);
    this.#observers.delete(model);
    const contestants = this.#contestants(rollout.spec);
    if (contestants === undefined) {
      if (isFinal(rollout.phase)) return undefined;
      const pair = `expected versions ${stable} and ${candidate} of ${model} in the catalogue`;
      const error = new Error(
        `${pair}, found one of them missing: ${rollout.id} collects no evidence`,
      );
      onInternalError('open rollout', error);
      return undefined;
    }
    const isHeldBack = rollout.heldBackSinceMs !== undefined;
    const storeId = isHeldBack ? `${rollout.id} holdback` : rollout.id;
    return new RolloutObserver({
      rollout: { ...rollout, spec: judgedSpec(rollout) },
      from,
      ...contestants,
      labelSettings: () => labelSettings(model),
      openStore:
        labelFolder && ((part, max) => labelFolder.open({ model, rolloutId: storeId, part }, max)),
      keepExample: this.#options.openExamples?.(rollout, contestants.stable),
      clock,
      mirrorLongestMs: this.#options.mirrorLongestMs,
      sendCheck: (requestId) => order({ kind: 'checkMirror', model, requestId }),
      onFailure: (arm, kind) => {
        const version = arm === 'candidate' ? candidate : stable;
        this.#options.onFailure?.({ model, version }, { arm, kind });
      },
    });
  }

  /** Why a trial of these two could show nothing, in a sentence; undefined: it could. */
  whyNotComparable(spec: RolloutSpec): string | undefined {
    const contestants = this.#contestants(spec);
    return contestants && whyNotComparable(contestants, spec);
  }

  close(rollout: Rollout): void {
    const { model } = rollout.spec;
    const observer = this.#observers.get(model);
    if (observer?.rolloutId !== rollout.id) return;
    this.#observers.delete(model);
    if (endedOutOfTime(rollout)) this.#extendable.set(model, observer);
    else void observer.close(true);
    this.#options.order({ kind: 'rollout', model, rolloutId: rollout.id, isOpen: false });
  }

  evidence(rolloutId: string): Evidence {
    return this.#openObserver(rolloutId)?.evidence() ?? NO_EVIDENCE;
  }

  /** Whether the mirror of an open rollout carries requests. Called at each look: it sends what has to be sent to know. */
  mirrorHealth(rolloutId: string): MirrorHealth | undefined {
    const observer = this.#openObserver(rolloutId);
    return observer?.mirrorCheck.look(observer.window.mirror());
  }

  /** Writes down what waits for labels, for the next process. */
  async stop(): Promise<void> {
    const all = [...this.#observers.values(), ...this.#extendable.values()];
    await Promise.all(all.map((observer) => observer.close(false)));
  }

  /**
   * Takes a label. Throws ServeError: invalid_input for a token that is not ours and for a label that cannot be one; forbidden and
   * overloaded as the model's `labels` section says, and forbidden for a caller without the role.
   */
  label(token: string, label: unknown, source: LabelSource): LabelState {
    const claims = this.#options.tokens.read(token);
    const { model } = claims;
    source.asker.check('label', model);
    return this.#admitted(model, source, (observer) => observer.label(claims, label));
  }

  /**
   * As `label`, for a request of the model by the id that its caller gave it. Callers with the role `label` may name any; others that
   * have said who they are, their own.
   */
  labelById({ id, model }: NamedRequest, label: unknown, source: LabelSource): LabelState {
    const { asker } = source;
    const ofAny = asker.may('label', model);
    const caller = asker.caller?.name;
    const isKnown = caller !== undefined && caller !== ANONYMOUS;
    if (!ofAny && !(isKnown && asker.may('infer', model))) asker.check('label', model);
    const query = { sentId: id, caller, ofAny };
    return this.#admitted(model, source, (observer) => observer.labelById(query, label));
  }

  #admitted(
    model: string,
    source: LabelSource,
    take: (observer: RolloutObserver) => LabelState,
  ): LabelState {
    const observer = this.#observers.get(model) ?? this.#extendable.get(model);
    if (observer === undefined) return 'unknown';
    const { from, callers } = this.#options.labelSettings(model);
    checkAuthority({ model, from, source });
    // An operator may decide alone in any case; on the admin port too others may not.
    const isBounded = source.plane === 'data' || !source.asker.may('operate', model);
    const labeller = labellerOf(source);
    if (isBounded) observer.callers.admit(labeller, callers);
    const state = take(observer);
    if (isBounded && !SAYS_SOMETHING.has(state)) observer.callers.giveBack(labeller);
    return state;
  }

  /** Drawn pairs of a model that wait for a label, of a rollout that may still be extended as well. */
  wanted(model: string): Iterable<WantedLabel> {
    return (this.#observers.get(model) ?? this.#extendable.get(model))?.wanted() ?? [];
  }

  #openObserver(rolloutId: string): RolloutObserver | undefined {
    return [...this.#observers.values()].find((observer) => observer.rolloutId === rolloutId);
  }

  #take(report: RolloutReport): void {
    switch (report.kind) {
      case 'named':
        this.#observers.get(report.model)?.named(report);
        return;
      case 'assigned':
        this.#observers.get(report.model)?.assigned(report);
        return;
      case 'ended':
        // Else a request that was under way as the time ended would hold up all after it, once extended.
        (this.#observers.get(report.model) ?? this.#extendable.get(report.model))?.ended(report);
        return;
      case 'drawn':
        this.#observerOf(report.target)?.expect(report.requestId);
        return;
      case 'unpaired':
        this.#observerOf(report.target)?.abandon(report.requestId);
        return;
      case 'paired':
        this.#compare(report);
        return;
      case 'checked':
        this.#checked(report);
        return;
      case 'lapsed':
        this.#observerOf(report.target)?.window.addLapse(report.lapse);
        return;
      case 'unmirrored':
        this.#count(report.event, report.target);
        return;
    }
  }

  /** Where the route mirrors nothing the target names no version. */
  #checked({ target, requestId, outcome }: Extract<RolloutReport, { kind: 'checked' }>): void {
    const observer = this.#observers.get(target.model);
    if (observer === undefined || observer.rolloutId !== target.rolloutId) return;
    observer.mirrorCheck.checked(requestId, outcome);
  }

  /** What could not be compared is no evidence: it is counted as failed. Under rules 1 what came late was a time-out. */
  #compare({ pair, target, load }: Extract<RolloutReport, { kind: 'paired' }>): void {
    const observer = this.#observerOf(target);
    if (pair.isLate && observer?.rules === 1) {
      observer.abandon(pair.requestId);
      this.#count({ kind: 'timedOut', load }, target);
      return;
    }
    try {
      observer?.offer(pair);
    } catch (thrown) {
      observer?.abandon(pair.requestId);
      this.#count({ kind: 'failed', load }, target);
      throw thrown;
    }
    this.#count({ kind: 'compared', load }, target);
  }

  #count(event: MirrorEvent, target: MirrorTarget): void {
    this.#options.onMirror(event, target);
    const observer = this.#observerOf(target);
    observer?.window.countMirror(event);
    observer?.noteTraffic();
  }

  /** A request drawn for an earlier rollout of the same candidate may end in this one, and does not count in it. */
  #observerOf({ model, version, rolloutId }: MirrorTarget): RolloutObserver | undefined {
    const observer = this.#observers.get(model);
    const isOpen = observer?.candidate === version && observer.rolloutId === rolloutId;
    return isOpen ? observer : undefined;
  }

  /** Undefined while the repository lacks one of them. */
  #contestants(spec: RolloutSpec): Contestants | undefined {
    const { model, stable, candidate } = spec;
    const find = (version: string): Contestant | undefined =>
      this.#options.contestant({ model, version });
    const [mine, theirs, beside] = [find(stable), find(candidate), anchorBeside(spec)];
    return (
      mine && theirs && { stable: mine, candidate: theirs, anchor: beside && find(beside.version) }
    );
  }
}
