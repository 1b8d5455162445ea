import { Gauge, type Registry } from 'prom-client';
import type { ProviderReport } from '../core/provider.ts';

const LABELS = ['model', 'version', 'role'] as const;

/** What models run on, and whether that is what was asked for. */
export class ProviderMetrics {
  readonly #provider: Gauge<(typeof LABELS)[number] | 'provider'>;
  readonly #isFallback: Gauge<(typeof LABELS)[number]>;

  constructor(registry: Registry) {
    this.#provider = new Gauge({
      name: 'understudy_host_provider',
      help: '1 for the execution provider that the model was last loaded on',
      labelNames: [...LABELS, 'provider'],
      registers: [registry],
    });
    this.#isFallback = new Gauge({
      name: 'understudy_host_provider_fallback',
      help: '1 while the model does not run on the first execution provider that was asked for',
      labelNames: LABELS,
      registers: [registry],
    });
  }

  /** After each load. The processor may be what a load fell back to, unasked. */
  set(
    labels: Readonly<Record<(typeof LABELS)[number], string>>,
    { requested, actual, fallbackReason }: ProviderReport,
  ): void {
    for (const provider of new Set([...requested, 'cpu', actual]))
      this.#provider.set({ ...labels, provider }, provider === actual ? 1 : 0);
    this.#isFallback.set(labels, fallbackReason === undefined ? 0 : 1);
  }
}
