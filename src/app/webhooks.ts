import { programVersion } from '../config/program.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import { stepTask } from '../rollout/action/describe.ts';
import type { ControllerOptions } from '../rollout/controller.ts';
import type { Otel } from '../telemetry/otel/open-otel.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type LedgerState, LedgerWatch } from '../webhooks/ledger-watch.ts';
import { Webhooks } from '../webhooks/webhooks.ts';
import { type Release, releasing } from './release.ts';

/** How long events that wait may hold up the end. */
const CLOSE_MS_MAX = 5_000;

export type WebhookParts = {
  readonly config: Pick<Config, 'webhooks'>;
  /** Secrets of the environment; by default none. */
  readonly webhookSecrets?: Readonly<Record<string, string>> | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly ledger: () => LedgerState;
  readonly telemetry: () => Pick<Telemetry, 'onWebhook'>;
  readonly otel: Pick<Otel, 'traceparentOf'> | undefined;
  readonly log: Log;
};

/** What webhooks take part in: the metrics, and the controller. Nothing without an entry in `webhooks`. */
export type OpenWebhooks = {
  readonly waiting: () => ReadonlyMap<string, number>;
  readonly controller: Pick<ControllerOptions, 'onRecorded' | 'hooks'>;
};

/** Opens the webhooks of the configuration. What they could not be called for is in the log. */
export function openWebhooks(parts: WebhookParts, release: Release): OpenWebhooks {
  const { config, webhookSecrets = {}, clock, random, ledger, telemetry, otel, log } = parts;
  if (config.webhooks.length === 0) return { waiting: () => new Map(), controller: {} };
  const webhooks = new Webhooks({
    ...{ clock, random, log, hooks: config.webhooks, version: programVersion },
    variables: webhookSecrets,
    traceparentOf: otel?.traceparentOf,
    taskOf: ({ spec }, step) => {
      const entered = spec.steps[step];
      return entered === undefined ? '' : stepTask(entered);
    },
    onResult: (...event) => telemetry().onWebhook(...event),
  });
  const watch = new LedgerWatch(ledger, webhooks.tell);
  watch.start(clock.wallMs);
  void webhooks.check();
  release.push(
    releasing('webhooks', async () => {
      watch.stop();
      await webhooks.close(CLOSE_MS_MAX);
    }),
  );
  return {
    waiting: () => webhooks.waiting(),
    controller: { onRecorded: webhooks.onRecorded, hooks: webhooks.questions },
  };
}
