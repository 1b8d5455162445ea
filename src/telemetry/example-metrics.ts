import { Counter, type Registry } from 'prom-client';

/** For kept examples: one that could not be kept, with a fixed word for the reason. */
export function addExampleMetrics(registry: Registry): (model: string, reason: string) => void {
  const lost = new Counter({
    name: 'understudy_examples_lost_total',
    help: 'Compared requests that were to be kept as examples and could not be, by reason: full, busy, disk or closed',
    labelNames: ['model', 'reason'],
    registers: [registry],
  });
  return (model, reason) => lost.inc({ model, reason });
}
