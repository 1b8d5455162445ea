import type { CancelSignal } from '../core/cancel-signal.ts';

/**
 * A cancel token for one call, where a connection carries many: what a call needs of an `AbortSignal`, at a tenth of the cost of
 * making one, listening to it and dropping it. Listeners only: no event object and no exception object.
 */
export class CancelToken {
  readonly listeners: (() => void)[] = [];
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

/** The listeners of each `AbortSignal`, in the order in which they were added. */
const listenersOf = new WeakMap<AbortSignal, (() => void)[]>();

/**
 * Calls `listener` once if the signal aborts; until then `offAbort` takes it back. A connection's signal lives through thousands
 * of requests, and a list costs a tenth of what the platform's own listeners do: each signal has one of those, for good. A list
 * and no set, which would keep what listened long ago from being collected (see `in-flight-table.ts`); it holds two or three. The
 * caller has seen that the signal has not aborted. The listener must not throw.
 */
export function onAbort(signal: CancelSignal, listener: () => void): void {
  if ('listeners' in signal) {
    signal.listeners.push(listener);
    return;
  }
  const known = listenersOf.get(signal);
  if (known !== undefined) {
    known.push(listener);
    return;
  }
  const listeners = [listener];
  listenersOf.set(signal, listeners);
  signal.addEventListener('abort', () => callAll(listeners), { once: true });
}

export function offAbort(signal: CancelSignal, listener: () => void): void {
  const listeners = 'listeners' in signal ? signal.listeners : listenersOf.get(signal);
  const at = listeners?.indexOf(listener) ?? -1;
  if (at >= 0) listeners?.splice(at, 1);
}

/** A listener may take back others that have not been called yet: those stay uncalled. */
function callAll(listeners: (() => void)[]): void {
  for (let next = listeners.shift(); next !== undefined; next = listeners.shift()) next();
}
