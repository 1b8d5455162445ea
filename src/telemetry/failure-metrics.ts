import { Counter, type Registry } from 'prom-client';

import type { FailureKind } from '../core/failure-kind.ts';
import type { ModelVersion } from '../core/version.ts';

/** Failed requests of the two arms of rollouts. */
export class FailureMetrics {
  readonly #failures: Counter<'model' | 'version' | 'arm' | 'kind'>;

  constructor(registry: Registry) {
    this.#failures = new Counter({
      name: 'understudy_rollout_failures_total',
      help: "Failed requests of a rollout's candidate and reference, mirrored and live, by kind",
      labelNames: ['model', 'version', 'arm', 'kind'],
      registers: [registry],
    });
  }

  readonly onFailure = (
    { model, version }: ModelVersion,
    { arm, kind }: { readonly arm: 'candidate' | 'reference'; readonly kind: FailureKind },
  ): void => {
    this.#failures.inc({ model, version, arm, kind });
  };
}
