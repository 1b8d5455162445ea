import t from 'tap';
import { refused } from '../../src/core/refusal.ts';

t.test('a refusal keeps its kind and its reason', async (t) => {
  const refusal = refused('no_rollout', 'no rollout of fashion is running');
  t.same(refusal, { kind: 'refused', code: 'no_rollout', why: 'no rollout of fashion is running' });
});
