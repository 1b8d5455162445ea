import type { SerialQueues } from '../../concurrency/serial-queues.ts';
import { messageOf } from '../../core/errors.ts';
import type { Rollout } from '../../core/rollout.ts';
import { canonicalJson } from '../../ledger/canonical-json.ts';
import { NotRecordedError } from '../history/logbook.ts';
import type { RolloutDeployer } from './deployer.ts';

export type TrialLoadsOptions = {
  readonly deployer: Pick<RolloutDeployer, 'prepare'>;
  readonly queues: SerialQueues;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** What came of a load: why it failed, in words, or undefined. Called in the model's queue. */
type OnEnd = (problem: string | undefined) => Promise<void>;

type Load = {
  readonly rollout: Rollout;
  readonly cancel: AbortController;
  /** What is loaded is there, or has failed: what follows is being done. */
  isLoaded: boolean;
  /** All of it. */
  readonly ended: Promise<void>;
};

/**
 * Loads what trials need outside the queues of their models, so that a version that hangs at load keeps no command waiting. One
 * load a model: it belongs to a phase of a trial, and is given up when the trial comes to another.
 */
export class TrialLoads {
  readonly #options: TrialLoadsOptions;
  readonly #running = new Map<string, Load>();
  #isStopped = false;

  constructor(options: TrialLoadsOptions) {
    this.#options = options;
  }

  /** Begins to load what a phase of a rollout needs, unless that is on its way already. Never throws. */
  begin(rollout: Rollout, onEnd: OnEnd): void {
    const { model } = rollout.spec;
    const running = this.#running.get(model);
    if (running?.isLoaded === false && isSamePhase(running.rollout, rollout)) return;
    this.cancel(model);
    if (this.#isStopped) return;
    const cancel = new AbortController();
    const ended = this.#run(rollout, cancel.signal).then((problem) =>
      this.#options.queues.run(model, () => this.#end(load, () => onEnd(problem))),
    );
    const reported = ended.catch((error: unknown) => {
      // The ledger says itself that it takes nothing, and the next tick tries again.
      if (error instanceof NotRecordedError) return;
      this.#options.onInternalError(`load for the trial of ${model}`, error);
    });
    const load: Load = { rollout, cancel, isLoaded: false, ended: reported };
    this.#running.set(model, load);
  }

  /** In the model's queue. What was given up meanwhile has no end. */
  async #end(load: Load, onEnd: () => Promise<void>): Promise<void> {
    const { model } = load.rollout.spec;
    if (this.#running.get(model) !== load) return;
    load.isLoaded = true;
    try {
      await onEnd();
    } finally {
      if (this.#running.get(model) === load) this.#running.delete(model);
    }
  }

  /** Gives up what is being loaded for a model's trial. */
  cancel(model: string): void {
    const running = this.#running.get(model);
    this.#running.delete(model);
    running?.cancel.abort();
  }

  isLoading(model: string): boolean {
    return this.#running.has(model);
  }

  /** Resolves once nothing is being loaded for the model's trial. */
  async ended(model: string): Promise<void> {
    for (let load = this.#running.get(model); load; load = this.#running.get(model))
      await load.ended;
  }

  /** Gives up all loads and begins none any more: what the end of the process interrupts is no fault of a candidate. */
  stop(): void {
    this.#isStopped = true;
    for (const model of [...this.#running.keys()]) this.cancel(model);
  }

  async #run(rollout: Rollout, signal: AbortSignal): Promise<string | undefined> {
    try {
      await this.#options.deployer.prepare(rollout, signal);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }
}

/** Evidence may have come since, the phase is what is loaded for. */
export function isSamePhase(a: Rollout, b: Rollout): boolean {
  return a.id === b.id && canonicalJson(a.phase) === canonicalJson(b.phase);
}
