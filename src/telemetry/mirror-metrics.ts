import { Counter, type Registry } from 'prom-client';

import type { ModelVersion } from '../core/version.ts';

/** The result of one request that was eligible for mirroring. */
export type MirrorResult =
  | { readonly kind: 'notSampled' | 'timedOut' | 'failed' | 'compared' }
  | { readonly kind: 'dropped'; readonly reason: string };

/** Mirrored requests: eligible = not sampled + dropped + timed out + failed + compared. */
export class MirrorMetrics {
  readonly #eligible: Counter<'model' | 'version'>;
  readonly #results: Counter<'model' | 'version' | 'result' | 'reason'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#eligible = new Counter({
      name: 'understudy_mirror_eligible_total',
      help: 'Live requests eligible for mirroring to the candidate',
      labelNames: ['model', 'version'],
      registers,
    });
    this.#results = new Counter({
      name: 'understudy_mirror_requests_total',
      help: 'Eligible requests by result: notSampled, dropped (by reason), timedOut, failed or compared',
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
