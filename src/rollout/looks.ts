import type { Anchor, AnchorStatus } from '../core/anchor.ts';
import type { Clock } from '../core/clock.ts';
import type { Evidence } from '../core/evidence.ts';
import { judgedSpec } from '../core/holdback.ts';
import type { HookAnswers, RolloutHooks } from '../core/hook-answers.ts';
import type { MirrorHealth } from '../core/mirror-health.ts';
import {
  type Action,
  type Decision,
  isFinal,
  type Rollout,
  type RolloutSpec,
} from '../core/rollout.ts';
import type { VersionState } from '../core/version.ts';
import { advance, beginsHoldback } from './action/advance.ts';
import { type Decide, judge } from './action/judge.ts';
import { anchorStatusOf } from './anchor-status.ts';
import { aliveTrial, type Trial } from './history/history.ts';
import type { Logbook } from './history/logbook.ts';
import { recordOfLook } from './history/recorded-look.ts';
import { isWorthRecording } from './history/worth-recording.ts';
import { type Detailed, MetricDetails } from './metric-details.ts';
import type { Reconciler } from './reconcile/reconciler.ts';
import { type LatestLook, type RolloutStatus, statusOf } from './status.ts';

/** The least time between two records of evidence while nothing is decided. */
const CHECKPOINT_MS = 5_000;

export type LooksOptions = {
  readonly clock: Clock;
  readonly decide: Decide;
  /** All that a rollout has seen so far. */
  readonly evidence: (rolloutId: string) => Evidence;
  /** Whether the mirror of a rollout works; called at each look. By default that is not known. */
  readonly mirrorHealth?: ((rolloutId: string) => MirrorHealth | undefined) | undefined;
  /** The mirror of a model's rollout stopped working, or works again. */
  readonly onMirrorHealth?: ((model: string, health: MirrorHealth) => void) | undefined;
  /** Where the anchor beside a candidate's shadow host stands; by default that is not known. */
  readonly anchorState?:
    | ((trial: Pick<RolloutSpec, 'model' | 'candidate'>) => VersionState | undefined)
    | undefined;
  /** What webhooks say of rollouts; by default none is asked. */
  readonly hooks?: RolloutHooks | undefined;
  readonly isServed: (model: string) => boolean;
  readonly checkpointMs?: number;
  readonly book: Logbook;
  readonly reconciler: Reconciler;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** Looks at rollouts: judges the evidence, writes down what follows from it, and has it carried out. */
export class Looks {
  readonly #options: LooksOptions;
  /** By model: the last look at its latest rollout, which may not have been worth a record. */
  readonly #latest = new Map<string, LatestLook & { readonly rolloutId: string }>();

  readonly #details: MetricDetails;

  readonly #mirrors = new Map<string, MirrorHealth>();

  constructor(options: LooksOptions) {
    this.#options = options;
    this.#details = new MetricDetails(options.onInternalError);
  }

  /**
   * One look at a model. While the ledger takes no records nothing is decided but that a candidate is proven worse: traffic is
   * taken away from it, and the decision with its evidence is kept for the ledger. Evidence only adds up meanwhile, so the next record
   * has all of it. Rejects with NotRecordedError.
   */
  async look(model: string): Promise<void> {
    const { book, reconciler, clock, evidence: read, isServed, checkpointMs } = this.#options;
    await reconciler.flushAndReconcile(model);
    const trial = aliveTrial(book.model(model));
    if (trial === undefined || reconciler.rolloutEnded(model) !== undefined) return;
    if (!isServed(model)) return;
    const { rollout } = trial;
    if (rollout.phase.kind === 'loading') return;
    const { id: rolloutId } = rollout;
    this.#checkMirror(rollout);
    const atMs = clock.wallMs();
    const evidence = read(rolloutId);
    const { hooks, decision } = this.#judge(rollout, evidence, atMs);
    this.#latest.set(model, { evidence, decision, rolloutId });
    const look = { evidence, decision, hooks };
    if (!isWorthRecording(trial, look, checkpointMs ?? CHECKPOINT_MS)) return;
    const { action } = decision;
    if (!this.#mayFollow(rollout, action)) return;
    const after = advance(rollout, { action, atMs, evidence });
    const body = recordOfLook({ ...look, before: rollout, after }, trial);
    if (action.kind === 'rollBack') await reconciler.recordEnd(body, after);
    else await book.append(body);
    if (beginsHoldback(rollout, after)) reconciler.beginHoldback(after);
    if (action.kind !== 'wait') await reconciler.reconcile(model);
  }

  /** Decides by the evidence and by what webhooks have said, and has them asked what that leaves open. */
  #judge(rollout: Rollout, evidence: Evidence, atMs: number): Judgement {
    const { decide, hooks: asked } = this.#options;
    const hooks = asked?.answers(rollout);
    const decision = judge(decide, { rollout, evidence, atMs, hooks });
    const { action } = decision;
    // A promotion that could not be recorded yet stays confirmed.
    if (action.kind !== 'promote')
      asked?.ask(rollout, action.kind === 'wait' && action.asks ? action.why : undefined);
    return { hooks, decision };
  }

  /** Whether what follows can be recorded now; else the next look tries again. */
  #mayFollow(rollout: Rollout, action: Action): boolean {
    const { book, reconciler } = this.#options;
    // Until the former version answers there is nothing to go back to.
    if (action.kind === 'rollBack') return reconciler.canGoBack(rollout);
    // While the versions of the present step are being loaded, a trial can end but not advance.
    return book.health().kind === 'healthy' && !reconciler.isLoading(rollout.spec.model);
  }

  /** A holdback mirrors nothing. */
  #checkMirror({ id, phase, spec: { model } }: Rollout): void {
    const { mirrorHealth, onMirrorHealth } = this.#options;
    const health = phase.kind === 'holdback' ? undefined : mirrorHealth?.(id);
    const wasFailing = this.#mirrors.get(model)?.state === 'failing';
    if (health === undefined) {
      this.#mirrors.delete(model);
      return;
    }
    this.#mirrors.set(model, health);
    if (wasFailing !== (health.state === 'failing')) onMirrorHealth?.(model, health);
  }

  /** A trial's actual status, which may not be recorded yet. Of details the newest that are there. */
  statusOf(trial: Trial, has: { readonly details: boolean }): RolloutStatus {
    const { clock, reconciler, book } = this.#options;
    const { id, spec } = trial.rollout;
    const ended = reconciler.rolloutEnded(spec.model);
    const inDeed = ended?.id === id ? { ...trial, rollout: ended } : trial;
    const status = statusOf(inDeed, this.#latestOf(trial), clock.wallMs());
    const asked = has.details ? this.#detailed(trial) : undefined;
    const details = asked && this.#details.known(asked);
    const anchor = has.details ? book.model(spec.model).anchor : undefined;
    return {
      ...status,
      metrics: status.metrics.map((metric, at) => ({ ...metric, ...details?.metrics[at] })),
      reported: status.reported.map((metric, at) => ({ ...metric, ...details?.reported[at] })),
      mirrorHealth: isFinal(inDeed.rollout.phase) ? undefined : this.#mirrors.get(spec.model),
      anchor: anchor && this.#anchorOf(anchor, inDeed),
      onRecord: inDeed === trial,
      ledger: ledgerText(book),
    };
  }

  #anchorOf(anchor: Anchor, trial: Trial): AnchorStatus {
    const { rollout } = trial;
    const isAlive = !isFinal(rollout.phase);
    const state = isAlive ? this.#options.anchorState?.(rollout.spec) : undefined;
    const evidence = this.#latestOf(trial)?.evidence ?? trial.evidence;
    return anchorStatusOf(anchor, { rollout, evidence, state });
  }

  /** Resolves once the details of a trial's metrics are there. */
  async detailsOf(trial: Trial): Promise<void> {
    const asked = this.#detailed(trial);
    if (asked !== undefined) await this.#details.of(asked);
  }

  #latestOf({ rollout: { id, spec } }: Trial): LatestLook | undefined {
    const look = this.#latest.get(spec.model);
    return look?.rolloutId === id ? look : undefined;
  }

  #detailed(trial: Trial): Detailed | undefined {
    const { evidence, decision } = this.#latestOf(trial) ?? trial;
    const { id: rolloutId } = trial.rollout;
    const spec = judgedSpec(trial.rollout);
    return decision && { rolloutId, spec, evidence, verdict: decision.verdict };
  }
}

type Judgement = { readonly hooks: HookAnswers | undefined; readonly decision: Decision };

function ledgerText(book: Logbook): RolloutStatus['ledger'] {
  const health = book.health();
  return health.kind === 'healthy' ? 'healthy' : `degraded (${health.cause}): ${health.why}`;
}
