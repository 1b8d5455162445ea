import { Registry } from 'prom-client';
import t from 'tap';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import { RolloutMetrics, type RolloutView } from '../../src/telemetry/rollout-metrics.ts';

t.test('a rollout that cannot be judged shows it, in a holdback too, until it ends', async (t) => {
  const of = (model: string, phase: RolloutView['phase'], verdict: RolloutView['verdict']) => ({
    ...({ model, candidate: '2', phase, verdict, step: undefined, setWeightBp: 0 } as const),
    ...{
      metrics: [],
      reported: [],
      mirrorHealth: undefined,
      anchor: undefined,
      labels: NO_EVIDENCE.labels,
      labelling: undefined,
    },
  });
  const rollouts = [
    of('held', 'holdback', 'error'),
    of('judged', 'holdback', 'inconclusive'),
    of('new', 'progressing', undefined),
    of('ended', 'promoted', 'error'),
  ];
  const registry = new Registry();
  new RolloutMetrics(registry, () => rollouts);
  const page = await registry.metrics();
  t.same(page.match(/^understudy_rollout_measurable\{.*$/gm), [
    'understudy_rollout_measurable{model="held",candidate="2"} 0',
    'understudy_rollout_measurable{model="judged",candidate="2"} 1',
  ]);
});
