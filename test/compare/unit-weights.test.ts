import t from 'tap';
import { UnitWeights } from '../../src/compare/unit-weights.ts';

t.test('a unit weighs at most so many requests in each window', async (t) => {
  const weights = new UnitWeights({ requests: 2, windowMs: 100 });
  const admitted = [0, 1, 2, 100, 101, 102, 103].map((at) => weights.admit('a', at));
  t.same(admitted, [true, true, false, false, true, true, false]);
  t.ok(weights.admit('b', 103), 'others have their own');
});
