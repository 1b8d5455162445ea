import t from 'tap';
import { readFormat } from '../../src/cli/output.ts';
import { formatRollout } from '../../src/cli/rollout-view.ts';
import { aMetric, aRolloutStatus } from './a-status.ts';

t.test('an output format is table, wide, json or yaml', async (t) => {
  const formats = ['table', 'wide', 'json', 'yaml'] as const;
  t.same(formats.map(readFormat), formats);
  t.throws(() => readFormat('text'), {
    exitCode: 2,
    message: /expected table, wide, json or yaml, found "text"/,
  });
});

t.test(
  'with room for it a metric has its e-values, its interval and its part in the verdict',
  async (t) => {
    const effect = {
      unit: 'meanDifference',
      estimate: -0.02,
      lower: -0.06,
      upper: 0.01,
      limit: 0.02,
      confidence: 0.95,
    } as const;
    const text = formatRollout(aRolloutStatus({ metrics: [aMetric({ effect })] }), {
      isWide: true,
    });
    t.match(text, /^METRIC +STATUS .* TO GO +ROLE +HARM +SAFE +INTERVAL$/m);
    t.match(text, /^labelledLoss .* ~800 +gate +0\.00\/3\.00 +1\.00\/3\.00 +-0\.0600\.\.0\.0100$/m);
  },
);
