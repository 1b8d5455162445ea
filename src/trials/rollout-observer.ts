import { type LabelCallerLimits, LabelCallers } from '../capture/label-callers.ts';
import type { LabelPart } from '../capture/label-folder.ts';
import type { LabelStore } from '../capture/label-store.ts';
import { type SentId, type SentIdQuery, SentIds } from '../capture/sent-ids.ts';
import { AnchorTally } from '../compare/anchor-tally.ts';
import { chooseComparator } from '../compare/choose-comparator.ts';
import type { Comparator } from '../compare/comparator.ts';
import { compare } from '../compare/compare.ts';
import { settingOf } from '../compare/compared-outputs.ts';
import { createWindow } from '../compare/create-window.ts';
import {
  type AllowedNonFinite,
  allowedNonFinite,
  faultOfLive,
  faultOfSide,
} from '../compare/fault.ts';
import type { Window, WindowOptions } from '../compare/window.ts';
import type { Clock } from '../core/clock.ts';
import type { Comparison } from '../core/comparison.ts';
import { ServeError } from '../core/errors.ts';
import { type Evidence, NO_ANCHOR } from '../core/evidence.ts';
import type { LabelAuthority } from '../core/label-source.ts';
import {
  addLabelCounts,
  type LabelCounts,
  type LabelState,
  strongerState,
} from '../core/label-state.ts';
import type {
  AssignedReport,
  EndedReport,
  LiveDraw,
  LiveEnd,
  LiveObservation,
} from '../core/messages.ts';
import type { Pair } from '../core/outcome.ts';
import {
  anchorBeside,
  DEFAULT_UNIT,
  latencyBlockMsOf,
  type Rollout,
  type RulesVersion,
  rulesOf,
  slicesOf,
  slowBlockMsOf,
} from '../core/rollout.ts';
import type { WantedLabel } from '../core/wanted-label.ts';
import { ArrivalLabels } from './arrival-labels.ts';
import { type Contestant, lossesOf } from './comparable.ts';
import { LabelWindow } from './label-window.ts';
import type { AnswerOfLabel, Labels } from './labels.ts';
import { LiveLabels } from './live-labels.ts';
import { LiveOrder } from './live-order.ts';
import { MatureLabels } from './mature-labels.ts';
import { MirrorCheck } from './mirror-check.ts';

/** The model's `labels` section, as it is at present. */
export type LabelSettings = {
  /** Milliseconds; undefined: none is declared. */
  readonly windowMs: number | undefined;
  readonly storeBytesMax: number;
  readonly from: LabelAuthority;
  readonly callers: LabelCallerLimits;
};

export type RolloutObserverOptions = {
  readonly rollout: Rollout;
  /** Seen before this process began; NO_EVIDENCE for a new rollout. */
  readonly from: Evidence;
  readonly stable: Contestant;
  readonly candidate: Contestant;
  /** What answers beside them; absent where nothing does. */
  readonly anchor?: Contestant | undefined;
  readonly labelSettings: () => LabelSettings;
  /** Where what waits for labels outlives the process; without it, it does not. */
  readonly openStore?: ((part: LabelPart, bytesMax: () => number) => LabelStore) | undefined;
  /** Keeps what is worth a look; by default nothing is. Must neither throw nor block. */
  readonly keepExample?: ((pair: Pair, comparison: Comparison) => void) | undefined;
  readonly clock: Clock;
  /** How long the mirror lets a copy wait and run at most, milliseconds; by default 65 s. */
  readonly mirrorLongestMs?: number | undefined;
  /** Sends a known request through the mirror, under this id. */
  readonly sendCheck: (requestId: string) => void;
  readonly onFailure?: WindowOptions['onFailure'];
};

const MIRROR_LONGEST_MS = 65_000;

/** One rollout as the judging column holds it in memory: what it has seen, and what still waits for a label. */
export class RolloutObserver {
  readonly rolloutId: string;
  readonly candidate: string;
  readonly rules: RulesVersion;
  readonly window: Window;
  /** Live requests, on their way to the window. */
  readonly live: LiveOrder;
  readonly mirrorCheck: MirrorCheck;
  /** Of labels from clients. */
  readonly callers: LabelCallers;
  /** Undefined where no label of a live answer is judged. */
  readonly #liveLabels: LiveLabels | undefined;
  readonly #labels: Labels;
  readonly #ids: SentIds;
  /** Undefined where no anchor is to answer. */
  readonly #anchor: AnchorTally | undefined;
  readonly #comparator: Comparator;
  readonly #allowed: AllowedNonFinite;
  readonly #keepExample: RolloutObserverOptions['keepExample'];
  readonly #wallMs: () => number;
  readonly #keepsLatest: boolean;
  readonly #startedMs: number;
  #labelCounts: LabelCounts;
  #latestMs: number | undefined;

  constructor(options: RolloutObserverOptions) {
    const { rollout, from, stable, clock, onFailure } = options;
    const { spec } = rollout;
    this.rolloutId = rollout.id;
    this.#wallMs = () => clock.wallMs();
    this.#keepsLatest = rulesOf(spec) > 1;
    this.#latestMs = from.latestMs;
    this.#startedMs = rollout.startedMs;
    this.#labelCounts = from.labelling?.states ?? {};
    this.candidate = spec.candidate;
    this.rules = rulesOf(spec);
    this.#comparator = chooseComparator(stable, spec);
    this.#anchor =
      anchorBeside(spec) && new AnchorTally(this.#comparator, from.anchor ?? NO_ANCHOR);
    this.#keepExample = options.keepExample;
    this.#allowed = allowedNonFinite(settingOf(stable, spec));
    this.window = createWindow({
      rules: this.rules,
      slices: slicesOf(spec),
      unit: spec.unit ?? DEFAULT_UNIT,
      salt: spec.salt,
      latencyMargin: spec.margins.pairedLatency,
      slowQuantile: spec.margins.slowRequests.quantile,
      slowBlockMs: slowBlockMsOf(spec.margins),
      latencyBlockMs: latencyBlockMsOf(spec.margins),
      clock,
      from,
      ...(onFailure === undefined ? {} : { onFailure }),
    });
    this.live = new LiveOrder((drawn, end) =>
      this.window.addLive(observationOf(drawn, end, this.#allowed)),
    );
    this.mirrorCheck = new MirrorCheck({
      clock,
      name: rollout.id,
      longestMs: options.mirrorLongestMs ?? MIRROR_LONGEST_MS,
      send: (requestId) => options.sendCheck(requestId),
    });
    this.callers = new LabelCallers(clock);
    const window = labelWindowOf(options);
    this.#labels = labelsOf(options, window);
    this.#liveLabels = liveLabelsOf(options, window);
    this.#ids = sentIdsOf(options, window);
  }

  /** A live request came that can count. */
  noteTraffic(): void {
    if (this.#keepsLatest) this.#latestMs = this.#wallMs();
  }

  /** A live request was drawn to an arm. */
  assigned({ requestId, drawn }: AssignedReport): void {
    this.live.assigned(requestId, drawn);
    if (this.#liveLabels) this.#ids.keep(requestId);
    this.#liveLabels?.assigned(requestId, drawn);
    this.noteTraffic();
  }

  /** It has ended. */
  ended(report: EndedReport): void {
    this.#liveLabels?.ended(report);
    this.live.ended(report.requestId, report.end);
  }

  /** A request was drawn for the mirror: its label may come before its pair. */
  expect(requestId: string): void {
    this.mirrorCheck.drawn(requestId);
    this.#ids.keep(requestId);
    this.#labels.expect(requestId);
  }

  /** No pair will come of a request that was drawn. */
  abandon(requestId: string): void {
    this.mirrorCheck.settled(requestId, 'lost');
    this.#labels.abandon(requestId);
  }

  /** Compares a finished pair and keeps what its label will need. */
  offer(pair: Pair): void {
    this.mirrorCheck.settled(pair.requestId, 'paired');
    const comparison = compare(pair, this.#comparator, this.#allowed);
    const anchored = this.#withAnchorFault(pair);
    this.window.addComparison(comparison, pair.attributes);
    this.#keepExample?.(pair, comparison);
    this.#anchor?.add(anchored);
    this.#labels.offer(anchored);
  }

  /** An answer of the anchor that would be a failure of a candidate is one of the anchor. */
  #withAnchorFault(pair: Pair): Pair {
    const { anchor, stable } = pair;
    if (anchor?.kind !== 'answer') return pair;
    const fault = faultOfSide(anchor, stable, this.#allowed);
    if (fault === undefined) return pair;
    return { ...pair, anchor: { kind: 'failure', code: 'runtime_failed', message: fault } };
  }

  /** A request came with an id of its caller's. */
  named(sent: SentId): void {
    this.#ids.named(sent);
  }

  /** As `label`, of the request that an id names. Throws ServeError overloaded until the ids of an earlier process are known. */
  labelById(query: SentIdQuery, label: unknown): LabelState {
    const found = this.#ids.find(query);
    if (found === 'ambiguous') return this.#noteLabel('ambiguous');
    if (found !== undefined) return this.label(found, label);
    if (this.#ids.isRestored) return this.#noteLabel('unknown');
    throw new ServeError(
      'overloaded',
      'feedback: expected the ids of earlier requests, found that they are still being read',
      { retryAfterMs: 1_000 },
    );
  }

  /** Joins a label to its pair, and to its live answer. Throws ServeError invalid_input for a label that the model does not know. */
  label(answer: AnswerOfLabel, label: unknown): LabelState {
    const ofPair = this.#labels.label(answer, label);
    const ofAnswer = this.#liveLabels?.label(answer.requestId, label) ?? ofPair;
    const state = strongerState(ofPair, ofAnswer);
    const isEarlier = state === 'notSampled' && answer.issuedMs < this.#startedMs;
    return this.#noteLabel(isEarlier ? 'unknown' : state);
  }

  /** Counts a label that came in. */
  #noteLabel(state: LabelState): LabelState {
    this.#labelCounts = addLabelCounts(this.#labelCounts, { [state]: 1 });
    return state;
  }

  /** Drawn pairs that wait for a label. */
  wanted(): Iterable<WantedLabel> {
    return this.#labels.wanted();
  }

  /** All that has been seen so far. */
  evidence(): Evidence {
    const liveLoss = this.#liveLabels?.snapshot();
    const { anchor: loss, labelling, ...labelled } = this.#labels.snapshot();
    const states = Object.keys(this.#labelCounts).length > 0 && { states: this.#labelCounts };
    const anchor = this.#anchor && { ...NO_ANCHOR, ...loss, ...this.#anchor.snapshot() };
    const seen = {
      ...this.window.snapshot(),
      ...labelled,
      ...(labelling && { labelling: { ...labelling, ...states } }),
      ...(liveLoss && { liveLoss }),
      ...(anchor && { anchor }),
    };
    return this.#latestMs === undefined ? seen : { ...seen, latestMs: this.#latestMs };
  }

  /** `isOver`: the rollout has ended; else what waits for labels is kept for the next process. */
  async close(isOver: boolean): Promise<void> {
    const waiting = [this.#labels, this.#liveLabels, this.#ids];
    await Promise.all(waiting.map((each) => each?.close(isOver)));
  }
}

/** Field by field: an object that is spread and gets further fields takes microseconds, of each live request of a trial. */
function observationOf(
  { unit, side, exposure, attributes }: LiveDraw,
  end: LiveEnd,
  allowed: AllowedNonFinite,
): LiveObservation {
  return {
    unit,
    side,
    exposure,
    attributes,
    startedMs: end.startedMs,
    endedMs: end.endedMs,
    failure: end.failure,
    failureKind: end.failureKind,
    nonFinite: end.nonFinite,
    coversUntilMs: end.coversUntilMs,
    content: end.content,
    fault: faultOfLive(end, allowed),
  };
}

function labelWindowOf({ rollout, from, labelSettings }: RolloutObserverOptions): LabelWindow {
  return new LabelWindow({
    spec: rollout.spec,
    from: from.labelling,
    configuredMs: () => labelSettings().windowMs,
  });
}

function labelsOf(options: RolloutObserverOptions, window: LabelWindow): Labels {
  const { rollout, from, clock, openStore } = options;
  const { spec, startedMs } = rollout;
  const shared = { from, losses: lossesOf(options, spec), startedMs, clock };
  if (rulesOf(spec) === 1) return new ArrivalLabels({ ...shared, slices: spec.slices });
  const storeBytesMax = storeBytesOf(options);
  const store = openStore?.('pairs', storeBytesMax);
  return new MatureLabels({ ...shared, spec, windowMs: window.ms, storeBytesMax, store });
}

function liveLabelsOf(
  options: RolloutObserverOptions,
  window: LabelWindow,
): LiveLabels | undefined {
  const { rollout, from, clock, openStore } = options;
  const { spec, startedMs } = rollout;
  const losses = lossesOf(options, spec);
  if (losses === undefined || !judgesLiveLoss(options)) return undefined;
  const storeBytesMax = storeBytesOf(options);
  return new LiveLabels({
    ...{ spec, losses, startedMs, clock, storeBytesMax },
    from: from.liveLoss,
    windowMs: window.ms,
    store: openStore?.('answers', storeBytesMax),
  });
}

function sentIdsOf(options: RolloutObserverOptions, window: LabelWindow): SentIds {
  const { rollout, clock, openStore } = options;
  const bytesMax = (): number => options.labelSettings().storeBytesMax;
  const ids = new SentIds({
    ...{ windowMs: window.ms, bytesMax, clock },
    store: rulesOf(rollout.spec) > 1 ? openStore?.('ids', () => bytesMax() / 2) : undefined,
  });
  void ids.restore();
  return ids;
}

function judgesLiveLoss({ rollout: { spec } }: RolloutObserverOptions): boolean {
  const names = spec.steps.flatMap((step) =>
    step.kind === 'analysis' ? [...step.require, ...step.reject] : [],
  );
  return rulesOf(spec) > 1 && names.includes('liveLoss');
}

/** Mirrored pairs and live answers share what there is, as configured at present. */
function storeBytesOf(options: RolloutObserverOptions): () => number {
  const parts = judgesLiveLoss(options) ? 2 : 1;
  return () => Math.floor(options.labelSettings().storeBytesMax / parts);
}
