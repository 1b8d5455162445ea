import { within } from '../concurrency/within.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { WebhookResult } from '../core/webhook.ts';
import type { Endpoint, Message } from './endpoint.ts';
import type { Answer } from './post.ts';

export type DeliveriesOptions = {
  readonly hook: string;
  readonly endpoint: Pick<Endpoint, 'send'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly random: Random;
  /** How often a message is sent again. */
  readonly retries: number;
  /** The wait before the first of these; it doubles each time. By default a second. */
  readonly firstWaitMs?: number;
  readonly onResult: (result: WebhookResult) => void;
  readonly log: Log;
};

/** Messages of one hook that wait: with 16 hooks some 20 MB at most. Beyond, the oldest is dropped. */
export const WAITING_MAX = 256;

const FIRST_WAIT_MS = 1_000;
const WAIT_MS_MAX = 60_000;

/**
 * Sends the messages of one hook, one after the other, so that they arrive in order. A message that is not taken is sent again,
 * later and later, as the same; after its last attempt the next has its turn. Never blocks and never throws.
 */
export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #waiting: Message[] = [];
  /** The message under way is the first that waits. */
  #isSending = false;
  #isFailing = false;
  readonly #stopped = new AbortController();
  #stopAtMs: number | undefined;
  #wake: (() => void) | undefined;
  #idle: (() => void) | undefined;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /** Messages that are not delivered yet. */
  waiting(): number {
    return this.#waiting.length;
  }

  offer(message: Message): void {
    if (this.#waiting.length >= WAITING_MAX) {
      // The first is on its way.
      this.#waiting.splice(this.#isSending ? 1 : 0, 1);
      this.#options.onResult('dropped');
    }
    this.#waiting.push(message);
    if (!this.#isSending) void this.#sendAll();
  }

  /**
   * Sends what waits without any wait between attempts, each message once more, for so long; what is left then is dropped. Resolves
   * when nothing is left or the time is over.
   */
  async close(msMax: number): Promise<void> {
    const { clock } = this.#options;
    this.#stopAtMs = clock.monotonicMs() + msMax;
    this.#wake?.();
    if (!this.#isSending) return;
    const sent = new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    if (await within(sent, msMax)) return;
    // What is at a disk that hangs does not hear of it.
    this.#stopped.abort();
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    for (let message = this.#waiting[0]; message !== undefined; message = this.#waiting[0]) {
      const result = this.#isOver() ? 'dropped' : await this.#deliver(message);
      this.#waiting.shift();
      this.#options.onResult(result);
    }
    this.#isSending = false;
    this.#idle?.();
  }

  async #deliver(message: Message): Promise<WebhookResult> {
    const { endpoint, retries } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await attemptOf(endpoint.send(message, this.#stopped.signal));
      this.#report(outcome);
      if (outcome.result === 'delivered' || outcome.isFinal) return outcome.result;
      if (attempt >= retries || this.#stopAtMs !== undefined) return 'failed';
      await this.#wait(this.#waitMs(attempt, outcome.retryAfterMs));
    }
  }

  /** Between the half and the whole of what is due, so that many do not come back at once. */
  #waitMs(attempt: number, askedMs = 0): number {
    const { random, firstWaitMs = FIRST_WAIT_MS } = this.#options;
    const dueMs = Math.min(WAIT_MS_MAX, firstWaitMs * 2 ** attempt);
    return Math.max(Math.min(askedMs, WAIT_MS_MAX), dueMs * (0.5 + random.unit() / 2));
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #isOver(): boolean {
    return this.#stopAtMs !== undefined && this.#options.clock.monotonicMs() >= this.#stopAtMs;
  }

  /** One line as it begins to fail, and one as it works again. */
  #report({ result, text }: Outcome): void {
    const { hook, log } = this.#options;
    const isFailing = result !== 'delivered';
    if (isFailing === this.#isFailing) return;
    this.#isFailing = isFailing;
    const facts = { webhook: hook };
    log(
      isFailing
        ? { level: 'warn', message: `webhook ${hook} does not take events: ${text}`, facts }
        : { level: 'info', message: `webhook ${hook} takes events again`, facts },
    );
  }
}

type Outcome = {
  readonly result: WebhookResult;
  /** Sending it again would change nothing. */
  readonly isFinal: boolean;
  readonly text: string;
  readonly retryAfterMs: number | undefined;
};

/** Refusals that may pass: time-out, too early, too many. */
const PASSING = [408, 425, 429];

async function attemptOf(sent: Promise<Answer>): Promise<Outcome> {
  try {
    const { status, retryAfterMs } = await sent;
    if (isTaken(status))
      return { result: 'delivered', isFinal: true, text: '', retryAfterMs: undefined };
    const isFinal = status < 500 && !PASSING.includes(status);
    const text = `it answered ${status}`;
    return { result: isFinal ? 'refused' : 'failed', isFinal, text, retryAfterMs };
  } catch (error) {
    return {
      ...{ result: 'failed', isFinal: false, text: messageOf(error) },
      retryAfterMs: undefined,
    };
  }
}

export function isTaken(status: number): boolean {
  return status >= 200 && status <= 299;
}
