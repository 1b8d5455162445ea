import t from 'tap';
import { UnitWeights } from '../../src/compare/unit-weights.ts';

t.test('a unit weighs at most so many requests in each window', async (t) => {
  const weights = new UnitWeights({ requests: 2, windowMs: 100 });
  const admitted = [0, 1, 2, 100, 101, 102, 103].map((at) => weights.admit('a', at));
  t.same(admitted, [true, true, false, false, true, true, false]);
  t.ok(weights.admit('b', 103), 'others have their own');
});

/** Milliseconds that so many new units take, beginning with this one. */
function admitting(weights: UnitWeights, from: number, count: number): number {
  const startedMs = performance.now();
  for (let at = from; at < from + count; at += 1) weights.admit(`u${at}`, at);
  return performance.now() - startedMs;
}

t.test(
  'a unit that makes an older one leave costs about as much as one that does not',
  async (t) => {
    const weights = new UnitWeights({ requests: 2, windowMs: 100 });
    const withRoom = admitting(weights, 0, 100_000);
    const full = admitting(weights, 100_000, 100_000);
    t.ok(full < 4 * withRoom + 300, `${full} ms, ${withRoom} ms with room`);
  },
);
