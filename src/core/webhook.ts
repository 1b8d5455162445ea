import type { Phase } from './rollout.ts';

/**
 * What a webhook of type `event` hears of: the phase that a rollout has come to, under its name in every status, and what
 * happens besides. `progressing` is sent at each step.
 */
export const WEBHOOK_EVENTS = [
  'loading',
  'progressing',
  'paused',
  'holdback',
  'promoted',
  'rolledBack',
  'aborted',
  'undone',
  'extended',
  'routeSet',
  'configReloaded',
  'ledgerDegraded',
  'ledgerHealthy',
] as const;

export type WebhookEventName = (typeof WEBHOOK_EVENTS)[number];

/** When a webhook is called. The words are Flagger's. */
export const WEBHOOK_TYPES = ['event', 'confirm-promotion', 'rollback'] as const;

export type WebhookType = (typeof WEBHOOK_TYPES)[number];

/** The shape of what is sent. */
export const WEBHOOK_FORMATS = ['understudy', 'slack', 'alertmanager'] as const;

export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

/** One entry of `webhooks`, complete. Files are absolute paths. */
export type Webhook = {
  /** Unique: in metrics, logs and the ledger. Never has the address, which may itself be a secret. */
  readonly name: string;
  readonly type: WebhookType;
  /** Either the address or a file that has it. */
  readonly address: { readonly url: string } | { readonly file: string };
  readonly events: readonly WebhookEventName[];
  /** Undefined: all models. */
  readonly models: readonly string[] | undefined;
  readonly format: WebhookFormat;
  /** Each signs; empty, and no variables: nothing is signed. */
  readonly secretFiles: readonly string[];
  /** Names of environment variables that hold secrets. */
  readonly secretVariables: readonly string[];
  /** Certificates that the receiver's is checked against, in place of the system's. */
  readonly caFile: string | undefined;
  /** From the beginning of a request to the end of its answer, milliseconds. */
  readonly timeoutMs: number;
  /** Of that, for name, connection and TLS. */
  readonly connectTimeoutMs: number;
  /** How often an event is sent again. */
  readonly retries: number;
  /** The least time between two questions of a hook that answers, milliseconds. */
  readonly everyMs: number;
};

/** The part of a rollout that webhooks see. */
export type WebhookRollout = {
  readonly id: string;
  readonly model: string;
  readonly stable: string;
  readonly candidate: string;
  readonly phase: Phase['kind'];
  /** The phase before; undefined: it has just been started. */
  readonly from: Phase['kind'] | undefined;
  /** Counted from 1; undefined where it is in none. */
  readonly step:
    | { readonly number: number; readonly of: number; readonly task: string }
    | undefined;
  readonly decidedBy: readonly string[];
};

/** Something that webhooks tell. */
export type WebhookEvent = {
  /** The same at each attempt, and on each machine that reads the same ledger. */
  readonly id: string;
  readonly event: WebhookEventName;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  /** The number of the record in the ledger; undefined: it is on none. */
  readonly record: number | undefined;
  /** Undefined: it is about no one model. */
  readonly model: string | undefined;
  readonly rollout: WebhookRollout | undefined;
  /** Why, in a sentence. */
  readonly why: string;
};

/** What became of a delivery: the label `result` of the metric. */
export const WEBHOOK_RESULTS = [
  'delivered',
  'refused',
  'failed',
  'dropped',
  'confirmed',
  'declined',
] as const;

export type WebhookResult = (typeof WEBHOOK_RESULTS)[number];
