import type { WebhookEvent } from '../core/webhook.ts';

/** The part of the ledger's state that webhooks tell. `sinceMs` is wall-clock milliseconds. */
export type LedgerState =
  | { readonly kind: 'healthy' }
  | {
      readonly kind: 'degraded';
      readonly cause: string;
      readonly why: string;
      readonly sinceMs: number;
    };

const LOOK_MS = 1_000;

/** Tells when the ledger stops taking records, which stands on no record, and when it takes them again. */
export class LedgerWatch {
  readonly #read: () => LedgerState;
  readonly #tell: (event: WebhookEvent) => void;
  #timer: NodeJS.Timeout | undefined;
  #sinceMs: number | undefined;

  constructor(read: () => LedgerState, tell: (event: WebhookEvent) => void) {
    this.#read = read;
    this.#tell = tell;
  }

  start(nowMs: () => number): void {
    this.#timer ??= setInterval(() => this.look(nowMs()), LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  look(nowMs: number): void {
    const state = this.#read();
    const wasMs = this.#sinceMs;
    if ((state.kind === 'degraded') === (wasMs !== undefined)) return;
    this.#sinceMs = state.kind === 'degraded' ? state.sinceMs : undefined;
    const isDegraded = state.kind === 'degraded';
    const event = isDegraded ? 'ledgerDegraded' : 'ledgerHealthy';
    this.#tell({
      id: `msg_${event}_${isDegraded ? state.sinceMs : wasMs}`,
      event,
      atMs: isDegraded ? state.sinceMs : nowMs,
      why: isDegraded ? `${state.cause}: ${state.why}` : 'the ledger takes records again',
      ...{ record: undefined, model: undefined, rollout: undefined },
    });
  }
}
