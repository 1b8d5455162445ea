/** Who listens to a signal, in the order in which they began. */
const listenersOf = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `listener` once if the signal aborts; until then `offAbort` takes it back. A connection's signal lives through thousands
 * of requests, and a set costs a tenth of what the platform's own listeners do: each signal has one of those, for good. The
 * caller has seen that the signal has not aborted. The listener must not throw.
 */
export function onAbort(signal: AbortSignal, listener: () => void): void {
  const known = listenersOf.get(signal);
  if (known !== undefined) {
    known.add(listener);
    return;
  }
  const listeners = new Set([listener]);
  listenersOf.set(signal, listeners);
  signal.addEventListener('abort', () => callAll(listeners), { once: true });
}

export function offAbort(signal: AbortSignal, listener: () => void): void {
  listenersOf.get(signal)?.delete(listener);
}

/** A listener may take back others that have not been called yet: those stay uncalled. */
function callAll(listeners: Set<() => void>): void {
  for (const listener of listeners) {
    listeners.delete(listener);
    listener();
  }
}
