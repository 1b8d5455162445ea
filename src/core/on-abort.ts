/** Tells, once, that nobody waits for an answer any more. A platform's signal will do. */
export type CallSignal = AbortSignal | Withdrawal;

/**
 * A signal for one call, where a connection carries many: it has what a call needs of a platform's signal, and costs a tenth of
 * making one, listening to it and letting it go. The same listeners, no event and no exception that nobody reads.
 */
export class Withdrawal {
  readonly listeners = new Set<() => void>();
  #aborted = false;

  get aborted(): boolean {
    return this.#aborted;
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    callAll(this.listeners);
  }
}

/** Who listens to a platform's signal, in the order in which they began. */
const listenersOf = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `listener` once if the signal aborts; until then `offAbort` takes it back. A connection's signal lives through thousands
 * of requests, and a set costs a tenth of what the platform's own listeners do: each signal has one of those, for good. The
 * caller has seen that the signal has not aborted. The listener must not throw.
 */
export function onAbort(signal: CallSignal, listener: () => void): void {
  if (signal instanceof Withdrawal) {
    signal.listeners.add(listener);
    return;
  }
  const known = listenersOf.get(signal);
  if (known !== undefined) {
    known.add(listener);
    return;
  }
  const listeners = new Set([listener]);
  listenersOf.set(signal, listeners);
  signal.addEventListener('abort', () => callAll(listeners), { once: true });
}

export function offAbort(signal: CallSignal, listener: () => void): void {
  const listeners = signal instanceof Withdrawal ? signal.listeners : listenersOf.get(signal);
  listeners?.delete(listener);
}

/** A listener may take back others that have not been called yet: those stay uncalled. */
function callAll(listeners: Set<() => void>): void {
  for (const listener of listeners) {
    listeners.delete(listener);
    listener();
  }
}
