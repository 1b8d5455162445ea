import { Counter, type Registry } from 'prom-client';

import type { ModelVersion } from '../core/version.ts';

/** What became of one request that the mirror might have copied. */
export type MirrorResult =
  | { readonly kind: 'notSampled' | 'timedOut' | 'failed' | 'compared' }
  | { readonly kind: 'dropped'; readonly reason: string };

/** The mirror's accounts: eligible = not sampled + dropped + timed out + failed + compared. */
export class MirrorMetrics {
  readonly #eligible: Counter<'model' | 'version'>;
  readonly #results: Counter<'model' | 'version' | 'result' | 'reason'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#eligible = new Counter({
      name: 'understudy_mirror_eligible_total',
      help: 'Live requests that the mirror might have copied to the candidate',
      labelNames: ['model', 'version'],
      registers,
    });
    this.#results = new Counter({
      name: 'understudy_mirror_requests_total',
      help: 'What became of eligible requests: notSampled, dropped (by reason), timedOut, failed or compared',
      labelNames: ['model', 'version', 'result', 'reason'],
      registers,
    });
  }

  readonly onMirror = (event: MirrorResult, { model, version }: ModelVersion): void => {
    const reason = event.kind === 'dropped' ? event.reason : '';
    this.#eligible.inc({ model, version });
    this.#results.inc({ model, version, result: event.kind, reason });
  };
}
