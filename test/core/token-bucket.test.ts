import fc from 'fast-check';
import t from 'tap';
import { TokenBucket } from '../../src/core/token-bucket.ts';

t.test('a burst passes, then the rate, and the wait that is said suffices', async (t) => {
  const rate = { perSecond: 4, burst: 2 };
  const bucket = new TokenBucket(1_000);
  t.equal(bucket.take(rate, 1_000), 0);
  t.equal(bucket.take(rate, 1_000), 0);
  t.equal(bucket.take(rate, 1_000), 250);
  t.equal(bucket.take(rate, 1_200), 50, 'a refusal takes nothing');
  t.equal(bucket.take(rate, 1_250), 0);
  t.notOk(bucket.isFull(rate, 1_700));
  t.ok(bucket.isFull(rate, 1_750));
});

t.test('no more passes than the burst and the rate, whenever it is asked', async () => {
  const steps = fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 20 }), (waits, perSecond) => {
      const rate = { perSecond, burst: perSecond };
      const bucket = new TokenBucket(0);
      let [nowMs, taken] = [0, 0];
      for (const wait of waits) {
        nowMs += wait;
        if (bucket.take(rate, nowMs) === 0) taken += 1;
      }
      return taken <= rate.burst + (nowMs / 1_000) * perSecond + 1e-6;
    }),
  );
});

t.test(
  'another rate applies from the next call on, and a clock set back gives nothing',
  async (t) => {
    const bucket = new TokenBucket(5_000);
    t.equal(bucket.take({ perSecond: 1, burst: 1 }, 5_000), 0);
    t.equal(bucket.take({ perSecond: 1, burst: 1 }, 1_000), 1_000);
    t.equal(bucket.take({ perSecond: 10, burst: 10 }, 5_000), 100);
  },
);
