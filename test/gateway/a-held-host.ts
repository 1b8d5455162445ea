import type { CancelSignal } from '../../src/core/cancel-signal.ts';
import type { InferResponse } from '../../src/core/infer.ts';
import type { ServingHost } from '../../src/gateway/gateway.ts';
import { echoHost } from './builders.ts';

/** A request that has reached the host. */
export type HeldRequest = {
  readonly signal: CancelSignal;
  /** Gives back what was asked, as `echoHost` does immediately. */
  readonly answer: () => void;
};

/** A host that keeps every request until the test answers it, whether the caller is still there or not. */
export function aHeldHost() {
  const held: HeldRequest[] = [];
  let notify: (request: HeldRequest) => void = () => undefined;
  /** Resolves with the first request once it is there. */
  const first = new Promise<HeldRequest>((resolve) => {
    notify = resolve;
  });
  const echo = echoHost('1');
  const host: ServingHost = {
    ...echo,
    infer: (request, signal) =>
      new Promise<InferResponse>((resolve) => {
        const each = { signal, answer: () => resolve(echo.infer(request, signal)) };
        held.push(each);
        notify(each);
      }),
  };
  const answerAll = (): void => {
    for (const { answer } of held.splice(0)) answer();
  };
  return { host, first, answerAll };
}
