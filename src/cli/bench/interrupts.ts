const INTERRUPTS = ['SIGINT', 'SIGTERM'] as const;

export type Interrupts = {
  /** Aborts at the first interrupt that is heard. */
  readonly signal: AbortSignal;
  /** Until then an interrupt ends the process as ever. */
  readonly hear: () => void;
  readonly forget: () => void;
};

/**
 * Aborts at the first interrupt; the second one ends the process as ever. It keeps listening in between, since the live view
 * listens too, to give the terminal its cursor back, and would end the process if it were the only listener.
 */
export function openInterrupts(): Interrupts {
  const stop = new AbortController();
  const forget = (): void => {
    for (const name of INTERRUPTS) process.off(name, heard);
  };
  const heard = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted) {
      forget();
      process.kill(process.pid, name);
    } else stop.abort(new Error(`stopped by ${name}`));
  };
  const hear = (): void => {
    for (const name of INTERRUPTS) process.on(name, heard);
  };
  return { signal: stop.signal, hear, forget };
}
