import type { InferRequest } from '../core/infer.ts';
import type { Outcome, Tap } from '../core/outcome.ts';
import type { Assignment } from '../core/route.ts';

export type Watcher = (outcome: Outcome) => void;

/** Calls those that watch requests. One that fails costs no caller an answer, and no other listener the outcome. */
export class Listeners {
  readonly #onInternalError: (operation: string, error: unknown) => void;

  constructor(onInternalError: (operation: string, error: unknown) => void) {
    this.#onInternalError = onInternalError;
  }

  /** Shows a request to the taps before it runs; those that return a watcher want its outcome. */
  watch(taps: readonly Tap[], request: InferRequest, assignment: Assignment): readonly Watcher[] {
    const watchers: Watcher[] = [];
    for (const tap of taps) {
      try {
        const watcher = tap(request, assignment);
        if (watcher !== undefined) watchers.push(watcher);
      } catch (thrown) {
        this.#onInternalError('tap', thrown);
      }
    }
    return watchers;
  }

  report<Ended>(listeners: readonly ((outcome: Ended) => void)[], outcome: Ended): void {
    for (const listen of listeners) {
      try {
        listen(outcome);
      } catch (thrown) {
        this.#onInternalError('outcome listener', thrown);
      }
    }
  }
}
