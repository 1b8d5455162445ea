/**
 * Copies a sample of the live requests to the candidate. The coin is flipped when a request has been assigned, before it
 * runs, so no outcome can choose what is compared; the candidate runs after the live answer is out, in a shadow host of its own.
 *
 * Nothing here may hurt a live request: the tap does a bounded amount of work, holds a bounded number of requests, drops first
 * when anything is full, and hands every error to `onInternalError`.
 *
 * Each eligible request is counted once, when its outcome is known, so that the counts add up at every moment. Eligible is what
 * the split sent to stable or control and what was not the caller's own fault.
 */
import type { Clock } from '../core/clock.ts';
import type { InferRequest } from '../core/infer.ts';
import type {
  CheckOutcome,
  MirrorTarget,
  RolloutReport,
  UnmirroredEvent,
} from '../core/messages.ts';
import { CALLER_CODES, type Observation, type Outcome, type Tap } from '../core/outcome.ts';
import { ownTensors } from '../core/own-tensors.ts';
import type { Random } from '../core/random.ts';
import { ALL_BP, type Assignment, type MirrorSetting } from '../core/route.ts';
import { tensorBytes } from '../core/tensor.ts';
import { type DropReason, liveSideOf, type Mirrored, type ShadowHost } from './mirrored.ts';
import { type ShadowLimits, ShadowQueue } from './shadow-queue.ts';

export type MirrorLimits = ShadowLimits & {
  /** With more live requests in flight than this nothing is mirrored; undefined: no such limit. */
  readonly liveInFlightMax?: number | undefined;
  /** Bytes that the copies of all models may hold together; `queueBytesMax` bounds those of one. */
  readonly bytesMax: number;
};

export type MirrorOptions = {
  readonly readMirror: (model: string) => MirrorSetting | undefined;
  /** The id of the model's open rollout. What is drawn counts for that one only, however late it ends. */
  readonly openRollout: (model: string) => string | undefined;
  readonly shadowHost: (model: string, version: string) => ShadowHost | undefined;
  readonly clock: Clock;
  /** Flips the coins: one for each request, regardless of its unit and id, so that no caller is always or never looked at. */
  readonly random: Random;
  readonly limits: MirrorLimits;
  readonly liveInFlight: () => number;
  /** Takes `drawn`, `unpaired`, `paired`, `unmirrored` and `checked`. Their target is the version mirrored to: it may no longer be on trial. */
  readonly report: (report: RolloutReport) => void;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

export type Mirror = {
  readonly tap: Tap;
  /** Sends a known request to the candidate as if it had been drawn and answered, and reports what became of it as `checked`. */
  readonly check: (request: InferRequest) => void;
  /** Drops what waits, mirrors nothing more, and resolves once no shadow host runs anything for it. */
  readonly drain: () => Promise<void>;
  /** Bytes that copies hold at present, over all models. */
  readonly heldBytes: () => number;
};

export function createMirror(options: MirrorOptions): Mirror {
  const mirror = new LiveMirror(options);
  return { tap: mirror.tap, check: mirror.check, drain: mirror.drain, heldBytes: mirror.heldBytes };
}

type Target = MirrorTarget & { readonly queue: ShadowQueue };
/** In the place of stable's, in a check of the mirror. */
const NO_ANSWER: Observation = { kind: 'answer', outputs: [], computeMs: 0 };

type Watcher = (outcome: Outcome) => void;

class LiveMirror implements Mirror {
  readonly #options: MirrorOptions;
  /** By model: one candidate of one rollout at a time. A former one's queue runs out by itself. */
  readonly #targets = new Map<string, Target>();
  readonly #former = new Set<Target>();
  #isDraining = false;

  constructor(options: MirrorOptions) {
    this.#options = options;
  }

  readonly tap: Tap = (request, assignment) => {
    try {
      const setting = this.#options.readMirror(request.model);
      if (setting === undefined || !isEligible(assignment)) return undefined;
      return this.#guarded(this.#flip(request, setting, assignment));
    } catch (thrown) {
      this.#report('mirror tap', thrown);
      this.#lost(request);
      return undefined;
    }
  };

  readonly check = (request: InferRequest): void => {
    try {
      this.#check(request);
    } catch (thrown) {
      this.#report('check of the mirror', thrown);
      this.#notifyChecked('failed', request.id, this.#nowhere(request.model));
    }
  };

  /** What a fault of ours kept from being drawn was not compared: else nothing would show that no request is. */
  #lost({ model }: InferRequest): void {
    const target = this.#targets.get(model);
    if (target !== undefined)
      this.#count({ kind: 'failed', load: this.#options.liveInFlight() }, target);
  }

  readonly drain = async (): Promise<void> => {
    this.#isDraining = true;
    const all = [...this.#targets.values(), ...this.#former];
    await Promise.all(all.map(({ queue }) => queue.close()));
  };

  /** What former candidates still run is held as well. */
  readonly heldBytes = (): number => {
    let bytes = 0;
    for (const { queue } of this.#targets.values()) bytes += queue.heldBytes;
    for (const { queue } of this.#former) bytes += queue.heldBytes;
    return bytes;
  };

  #flip(request: InferRequest, setting: MirrorSetting, { arm }: Assignment): Watcher {
    const { random } = this.#options;
    const target = this.#targetOf(request.model, setting.version);
    if (random.integer(ALL_BP) >= setting.sampleBp) {
      return (outcome) => this.#countUnlessCallers(outcome, { kind: 'notSampled' }, target);
    }
    const mirrored: Mirrored = {
      request: { ...request, inputs: ownTensors(request.inputs) },
      bytes: tensorBytes(request.inputs),
      load: this.#options.liveInFlight(),
      drawnMs: this.#options.clock.monotonicMs(),
      twin: random.integer(ALL_BP) < setting.twinBp,
      candidateFirst: random.integer(2) === 0,
      byControl: arm === 'control',
      ...(setting.anchor && { anchor: random.integer(ALL_BP) < setting.anchor.shareBp }),
    };
    const full = this.#whyNot(mirrored, target);
    if (full !== undefined) {
      const dropped = { kind: 'dropped', reason: full, load: mirrored.load } as const;
      return (outcome) => this.#countUnlessCallers(outcome, dropped, target);
    }
    this.#notify('drawn', request.id, target);
    return (outcome) => this.#onLiveOutcome(mirrored, outcome, target);
  }

  #check(request: InferRequest): void {
    const setting = this.#options.readMirror(request.model);
    if (setting === undefined) {
      this.#notifyChecked('notMirrored', request.id, this.#nowhere(request.model));
      return;
    }
    const target = this.#targetOf(request.model, setting.version);
    const mirrored: Mirrored = {
      request,
      bytes: tensorBytes(request.inputs),
      load: this.#options.liveInFlight(),
      drawnMs: this.#options.clock.monotonicMs(),
      twin: setting.twinBp > 0,
      candidateFirst: false,
      byControl: false,
      isCheck: true,
    };
    const full = this.#whyNot(mirrored, target);
    if (full !== undefined) this.#notifyChecked(`dropped: ${full}`, request.id, target);
    else target.queue.submit(mirrored, NO_ANSWER, Number.POSITIVE_INFINITY);
  }

  #nowhere(model: string): MirrorTarget {
    return { model, version: '', rolloutId: this.#options.openRollout(model) };
  }

  #whyNot({ bytes, load }: Mirrored, target: Target): DropReason | undefined {
    if (this.#isDraining) return 'shuttingDown';
    const { liveInFlightMax } = this.#options.limits;
    if (liveInFlightMax !== undefined && load > liveInFlightMax) return 'brownout';
    return target.queue.admit(bytes);
  }

  #onLiveOutcome(mirrored: Mirrored, outcome: Outcome, target: Target): void {
    const { load, request } = mirrored;
    const live = liveSideOf(outcome);
    if (live.kind === 'observed') {
      const budgetMs = request.deadlineMs - outcome.startedMs;
      target.queue.submit(mirrored, live.observation, budgetMs);
      return;
    }
    target.queue.release(mirrored);
    this.#notify('unpaired', request.id, target);
    const dropped = { kind: 'dropped', reason: 'liveUnanswered', load } as const;
    this.#countUnlessCallers(outcome, dropped, target);
  }

  #countUnlessCallers(outcome: Outcome, event: UnmirroredEvent, target: Target): void {
    if (outcome.kind === 'failure' && CALLER_CODES.has(outcome.code)) return;
    this.#count(event, target);
  }

  #targetOf(model: string, version: string): Target {
    const present = this.#targets.get(model);
    const rolloutId = this.#options.openRollout(model);
    if (present?.version === version && present.rolloutId === rolloutId) return present;
    const target = this.#createTarget({ model, version, rolloutId });
    this.#targets.set(model, target);
    if (present !== undefined) {
      this.#former.add(present);
      // Requests that the former candidate has not begun are dropped.
      void present.queue.close().then(() => this.#former.delete(present));
    }
    return target;
  }

  #createTarget(named: MirrorTarget): Target {
    const { model, version } = named;
    const { limits, clock, shadowHost, report } = this.#options;
    const queue = new ShadowQueue({
      limits,
      clock,
      shadowHost: () => shadowHost(model, version),
      hasRoom: (bytes) => this.heldBytes() + bytes <= limits.bytesMax,
      offer: (pair, { load, isCheck }) => {
        if (isCheck) this.#notifyChecked('arrived', pair.requestId, named);
        else report({ kind: 'paired', target: named, pair, load });
      },
      onLapse: (lapse) => report({ kind: 'lapsed', target: named, lapse }),
      settle: ({ load, request, isCheck }, outcome) => {
        if (outcome.kind === 'paired') return;
        if (isCheck) {
          const came =
            outcome.kind === 'dropped' ? (`dropped: ${outcome.reason}` as const) : outcome.kind;
          this.#notifyChecked(came, request.id, named);
          return;
        }
        this.#notify('unpaired', request.id, target);
        this.#count({ ...outcome, load }, target);
      },
      onInternalError: (operation, error) => this.#report(operation, error),
    });
    const target: Target = { ...named, queue };
    return target;
  }

  #count(event: UnmirroredEvent, { queue: _, ...target }: Target): void {
    try {
      this.#options.report({ kind: 'unmirrored', target, event });
    } catch (thrown) {
      this.#report('count mirror event', thrown);
    }
  }

  #notify(kind: 'drawn' | 'unpaired', requestId: string, { queue: _, ...target }: Target): void {
    try {
      this.#options.report({ kind, target, requestId });
    } catch (thrown) {
      this.#report(`${kind} request`, thrown);
    }
  }

  #notifyChecked(
    outcome: CheckOutcome,
    requestId: string,
    { model, version, rolloutId }: MirrorTarget,
  ): void {
    const target = { model, version, rolloutId };
    this.#options.report({ kind: 'checked', target, requestId, outcome });
  }

  #guarded(watcher: Watcher): Watcher {
    return (outcome) => {
      try {
        watcher(outcome);
      } catch (thrown) {
        this.#report('mirror outcome', thrown);
      }
    };
  }

  /** An error in the reporting of errors has nowhere to go, and must not go to a caller. */
  #report(operation: string, error: unknown): void {
    try {
      this.#options.onInternalError(operation, error);
    } catch {}
  }
}

/** Only what the split drew is a fair sample of the traffic, and only stable's answers are what candidates are held to. */
function isEligible({ by, arm }: Assignment): boolean {
  return by === 'split' && (arm === 'stable' || arm === 'control');
}
