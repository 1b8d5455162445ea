import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../src/core/clock.ts';
import { messageOf } from '../src/core/errors.ts';
import { senderFor } from '../src/load/wire/open-sender.ts';
import type { Aim } from './aim.ts';

/** How one request of the probe fared. Moments are those of this process's monotonic clock. */
export type Probed = {
  readonly sentMs: number;
  readonly answeredMs: number;
  /** undefined: answered with success. */
  readonly error: string | undefined;
};

/**
 * A few requests during a load, from the bench's own process: for what a load's report does not say, such as how long a refusal
 * takes, or the moment of one answer.
 */
export class Probe {
  readonly #found: Probed[] = [];
  readonly #over = new AbortController();
  readonly #done: Promise<void>;

  /** Sends the aim's first request every so many milliseconds, whether or not answers have come. */
  constructor(aim: Aim, everyMs: number) {
    this.#done = this.#send(aim, everyMs);
    // `stop` rejects with the error.
    this.#done.catch(() => undefined);
  }

  /** Sends no more. Resolves with all that was found, in the order of the answers. */
  async stop(): Promise<readonly Probed[]> {
    this.#over.abort();
    await this.#done;
    return this.#found;
  }

  async #send({ wire, requests }: Aim, everyMs: number): Promise<void> {
    const [request] = requests;
    if (request === undefined) throw new Error('a probe needs a request');
    const sender = senderFor(wire);
    const asked: Promise<void>[] = [];
    try {
      await sender.open(1);
      while (!this.#over.signal.aborted) {
        asked.push(this.#note(sender.send(request)));
        await sleep(everyMs);
      }
      await Promise.all(asked);
    } finally {
      sender.close();
    }
  }

  async #note(answer: Promise<{ readonly error: string | undefined }>): Promise<void> {
    const sentMs = systemClock.monotonicMs();
    const error = await answer.then(
      (found) => found.error,
      (cause: unknown) => messageOf(cause),
    );
    this.#found.push({ sentMs, answeredMs: systemClock.monotonicMs(), error });
  }
}
