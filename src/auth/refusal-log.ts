import type { Log } from '../core/log.ts';
import { counted } from '../core/text.ts';
import type { RefusalReason } from './refusal.ts';

const EVERY_MS = 1_000;

/** Logs refused callers: the first immediately, then one line a second with how many there were for which reason. */
export class RefusalLog {
  readonly #log: Log;
  readonly #everyMs: number;
  #counts = new Map<RefusalReason, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Log, everyMs = EVERY_MS) {
    this.#log = log;
    this.#everyMs = everyMs;
  }

  readonly onRefused = (reason: RefusalReason): void => {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    if (this.#timer === undefined) this.#write();
  };

  close(): void {
    clearTimeout(this.#timer);
  }

  #write(): void {
    this.#timer = undefined;
    if (this.#counts.size === 0) return;
    const total = [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
    const facts = Object.fromEntries(this.#counts);
    this.#counts = new Map();
    this.#log({
      level: 'warn',
      message: `refused ${counted(total, 'request')} by authentication or role`,
      facts,
    });
    this.#timer = setTimeout(() => this.#write(), this.#everyMs);
    this.#timer.unref();
  }
}
