import type { Clock } from '../core/clock.ts';
import type { RolloutHooks } from '../core/hook-answers.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { RecordedChange } from '../core/recorded-change.ts';
import type { Webhook, WebhookEvent, WebhookResult } from '../core/webhook.ts';
import { Deliveries } from './deliveries.ts';
import { Endpoint } from './endpoint.ts';
import { eventOf } from './event-of.ts';
import { Questions } from './questions.ts';
import { bodyOf } from './shapes.ts';
import { SmallFiles } from './small-files.ts';
import type { TaskOf } from './webhook-rollout.ts';

export type WebhooksOptions = {
  readonly hooks: readonly Webhook[];
  readonly clock: Clock;
  readonly random: Random;
  /** Secrets of the environment, by the name of their variable. */
  readonly variables: Readonly<Record<string, string>>;
  /** The program's version. */
  readonly version: string;
  /** The span of a rollout, by its id; by default none is known. */
  readonly traceparentOf?: ((rolloutId: string) => string | undefined) | undefined;
  readonly taskOf: TaskOf;
  readonly onResult: (hook: string, result: WebhookResult) => void;
  readonly log: Log;
};

type Told = { readonly hook: Webhook; readonly deliveries: Deliveries };

/** All webhooks. Addresses come from the configuration alone: nothing that a caller sends decides where a request goes. */
export class Webhooks {
  readonly #options: WebhooksOptions;
  readonly #endpoints: readonly { readonly hook: Webhook; readonly endpoint: Endpoint }[];
  readonly #told: readonly Told[];
  readonly #questions: Questions;

  constructor(options: WebhooksOptions) {
    this.#options = options;
    const { clock, random, log, variables, version, onResult } = options;
    const files = new SmallFiles();
    this.#endpoints = options.hooks.map((hook) => ({
      hook,
      endpoint: new Endpoint({ hook, clock, variables, version, files }),
    }));
    this.#told = this.#endpoints
      .filter(({ hook }) => hook.type === 'event')
      .map(({ hook, endpoint }) => {
        const { name, retries } = hook;
        const onOne = (result: WebhookResult): void => onResult(name, result);
        const parts = { hook: name, endpoint, clock, random, retries, log };
        return { hook, deliveries: new Deliveries({ ...parts, onResult: onOne }) };
      });
    const asked = this.#endpoints.filter(({ hook }) => hook.type !== 'event');
    this.#questions = new Questions({ ...options, asked });
  }

  /** Says in the log what could not be sent as things stand. Never rejects. */
  async check(): Promise<void> {
    for (const { hook, endpoint } of this.#endpoints) {
      const problem = await endpoint.problem();
      if (problem === undefined) continue;
      const message = `webhook ${hook.name} cannot be called: ${problem}`;
      this.#options.log({ level: 'error', message, facts: { webhook: hook.name } });
    }
  }

  /** Those that are asked, for the deciding side. */
  get questions(): RolloutHooks {
    return this.#questions;
  }

  /** To be called for each record that was written. Never blocks and never throws. */
  readonly onRecorded = (change: RecordedChange): void => {
    const event = eventOf(change, this.#options.taskOf);
    if (event !== undefined) this.tell(event);
  };

  /** Hands an event to each webhook that it is for. Never blocks and never throws. */
  readonly tell = (event: WebhookEvent): void => {
    for (const { hook, deliveries } of this.#told) {
      if (!isFor(hook, event)) continue;
      const body = bodyOf(hook.format, event);
      const { id: rolloutId } = event.rollout ?? {};
      const traceparent = rolloutId && this.#options.traceparentOf?.(rolloutId);
      if (body !== undefined) deliveries.offer({ id: event.id, body, traceparent });
    }
  };

  /** Events that wait, by webhook. */
  waiting(): ReadonlyMap<string, number> {
    return new Map(this.#told.map(({ hook, deliveries }) => [hook.name, deliveries.waiting()]));
  }

  /** Delivers what it can within so many milliseconds. */
  async close(msMax: number): Promise<void> {
    this.#questions.close();
    await Promise.all(this.#told.map(({ deliveries }) => deliveries.close(msMax)));
  }
}

function isFor({ events, models }: Webhook, { event, model }: WebhookEvent): boolean {
  if (!events.includes(event)) return false;
  // What is about no one model is for all.
  return models === undefined || model === undefined || models.includes(model);
}
