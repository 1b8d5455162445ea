import type { Clock } from '../../core/clock.ts';
import { refused } from '../../core/refusal.ts';
import type { BreakerTrip, Command, Rollout } from '../../core/rollout.ts';
import { undone } from '../action/advance.ts';
import { aliveTrial } from '../history/history.ts';
import type { Logbook } from '../history/logbook.ts';
import { type Reconciler, tripped } from '../reconcile/reconciler.ts';
import type { CommandResult, NotYet } from './command.ts';

/** Ends a trial and sends all traffic to the version that was stable before it. */
export type End = Extract<Command, { kind: 'abort' | 'undo' }>;

export function isEnd(command: { readonly kind: string }): command is End {
  return command.kind === 'abort' || command.kind === 'undo';
}

export type EndingOptions = {
  readonly clock: Clock;
  readonly book: Logbook;
  readonly reconciler: Reconciler;
  readonly revisionOf: (model: string) => number;
  /** Told what a command that was answered before it was through came to. */
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** How long an abort waits for its record before it is answered. */
const ANSWER_MS = 2_000;

/**
 * Ends trials from outside the statistics. In two parts: traffic is taken away from the candidate immediately, even while
 * a load for the model is under way; the record follows in the model's queue.
 */
export class Ending {
  readonly #options: EndingOptions;

  constructor(options: EndingOptions) {
    this.#options = options;
  }

  /** Routes all traffic to stable. Does nothing without a trial that the command can end immediately. */
  now(end: End): void {
    this.#endNow(end.model, (alive) =>
      this.#isEndable(alive, end) ? ended(alive, end, this.#options.clock.wallMs()) : undefined,
    );
  }

  /** Whether a command can be carried out without loading a version first, or is refused. */
  isImmediate(end: End): boolean {
    const alive = aliveTrial(this.#options.book.model(end.model))?.rollout;
    return alive === undefined ? end.kind === 'abort' : this.#isEndable(alive, end);
  }

  /** As `now`, for a fault of the candidate. */
  tripNow(model: string, trip: BreakerTrip): void {
    this.#endNow(model, (alive) => tripped(alive, trip, this.#options.clock.wallMs()));
  }

  /** Records an end in the model's queue, if there is still a trial that can be ended now; undefined: there is none. */
  async end(end: End): Promise<CommandResult | undefined> {
    const { book, reconciler, clock } = this.#options;
    const alive = aliveTrial(book.model(end.model))?.rollout;
    if (alive === undefined) return undefined;
    if (reconciler.isKept(end.model)) return this.#again(alive, end.model);
    if (!this.#isEndable(alive, end)) return undefined;
    const body = { kind: 'command', command: end, refused: undefined } as const;
    const isRecorded = await reconciler.recordEnd(body, ended(alive, end, clock.wallMs()));
    if (!isRecorded) return this.#applied(alive, end.model);
    await reconciler.reconcileIfRecorded(end.model);
    return {
      kind: 'applied',
      rolloutId: alive.id,
      revision: this.#options.revisionOf(end.model),
    };
  }

  /** The result of an end; after a while, that it has been carried out and is not on record yet. */
  async answer(result: Promise<CommandResult>, { kind, model }: End): Promise<CommandResult> {
    const ended = this.#options.reconciler.rolloutEnded(model);
    if (ended === undefined) return result;
    let timer: NodeJS.Timeout | undefined;
    const early = new Promise<CommandResult>((resolve) => {
      timer = setTimeout(() => {
        resolve(this.#applied(ended, model));
        const report = (error: unknown): void =>
          this.#options.onInternalError(`${kind} ${model}`, error);
        result.then((late) => late.kind === 'refused' && report(new Error(late.why)), report);
      }, ANSWER_MS);
    });
    return Promise.race([result, early]).finally(() => clearTimeout(timer));
  }

  #endNow(model: string, endedAs: (alive: Rollout) => Rollout | undefined): void {
    const { book, reconciler } = this.#options;
    const alive = aliveTrial(book.model(model))?.rollout;
    if (alive === undefined || !reconciler.canGoBack(alive)) return;
    const after = endedAs(alive);
    if (after !== undefined) reconciler.endNow(after);
  }

  /** An undo is for what was promoted; and traffic goes back only to a version that answers. */
  #isEndable(alive: Rollout, { kind }: End): boolean {
    const isMeant = kind === 'abort' || alive.phase.kind === 'holdback';
    return isMeant && this.#options.reconciler.canGoBack(alive);
  }

  /** An abort of a trial that has already ended. */
  #again(alive: Rollout, model: string): CommandResult {
    const phase = this.#options.reconciler.rolloutEnded(model)?.phase;
    if (phase?.kind !== 'rolledBack') return this.#applied(alive, model);
    return refused(
      'no_rollout',
      `rollout ${alive.id} has been rolled back already (${phase.why}); its record waits for the ledger`,
    );
  }

  #applied({ id }: Rollout, model: string): CommandResult {
    const { book, revisionOf } = this.#options;
    return {
      kind: 'applied',
      rolloutId: id,
      revision: revisionOf(model),
      notYet: notYetRecorded(book),
    };
  }
}

function ended(rollout: Rollout, end: End, atMs: number): Rollout {
  if (end.kind === 'undo') return undone(rollout, end, atMs);
  return { ...rollout, phase: { kind: 'aborted', atMs, why: end.reason } };
}

function notYetRecorded(book: Logbook): NotYet {
  const health = book.health();
  const why = book.isFenced()
    ? 'another process writes to the ledger: abort it there too'
    : health.kind === 'degraded'
      ? `the ledger takes no records (${health.cause}: ${health.why})`
      : 'something else is under way for the model';
  return {
    isDurable: false,
    why: `all traffic goes to the stable version, and this is not recorded yet: ${why}. If the gateway stops before it is, abort again after the next start`,
  };
}
