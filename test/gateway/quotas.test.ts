import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import type { QuotaRule } from '../../src/core/quota.ts';
import { CallerQuotas } from '../../src/gateway/quotas.ts';

function aRule(parts: Partial<QuotaRule> = {}): QuotaRule {
  return {
    caller: '*',
    model: '*',
    perSecond: undefined,
    burst: 1,
    concurrent: undefined,
    ...parts,
  };
}

function someQuotas(first: readonly QuotaRule[], pairsMax?: number) {
  const clock = new HandClock();
  const state = { rules: first };
  const refused: string[] = [];
  const quotas = new CallerQuotas({
    rules: () => state.rules,
    isModel: (model) => model.startsWith('m'),
    clock,
    onRefused: (model, reason) => refused.push(`${model} ${reason}`),
    ...(pairsMax === undefined ? {} : { pairsMax }),
  });
  return { clock, state, refused, quotas };
}

t.test('a burst passes at once, and the rest as time goes by', async (t) => {
  const { quotas, clock, refused } = someQuotas([aRule({ perSecond: 2, burst: 3 })]);
  for (let index = 0; index < 3; index += 1) quotas.take('a', 'm');
  t.throws(() => quotas.take('a', 'm'), { code: 'rate_limited', retryAfterMs: 500 });
  clock.advance(499);
  t.throws(() => quotas.take('a', 'm'), { code: 'rate_limited' });
  clock.advance(1);
  t.ok(quotas.take('a', 'm'));
  t.throws(() => quotas.take('a', 'm'), { code: 'rate_limited' });
  t.strictSame(refused, ['m rate', 'm rate', 'm rate']);
});

t.test('a long pause gives no more than a burst', async (t) => {
  const { quotas, clock } = someQuotas([aRule({ perSecond: 10, burst: 2 })]);
  quotas.take('a', 'm');
  clock.advance(3_600_000);
  quotas.take('a', 'm');
  quotas.take('a', 'm');
  t.throws(() => quotas.take('a', 'm'), { code: 'rate_limited' });
});

t.test('each pair of caller and model has a bucket and a count of its own', async (t) => {
  const { quotas } = someQuotas([aRule({ perSecond: 1, concurrent: 1 })]);
  quotas.take('a', 'm1');
  t.ok(quotas.take('a', 'm2'));
  t.ok(quotas.take('b', 'm1'));
  t.throws(() => quotas.take('b', 'm1'), { code: 'rate_limited', retryAfterMs: 1_000 });
});

t.test('a place in flight is given back once, however often that is said', async (t) => {
  const { quotas, refused } = someQuotas([aRule({ concurrent: 2 })]);
  const first = quotas.take('a', 'm');
  quotas.take('a', 'm');
  t.throws(() => quotas.take('a', 'm'), { code: 'rate_limited' });
  first?.release();
  first?.release();
  t.ok(quotas.take('a', 'm'));
  t.throws(() => quotas.take('a', 'm'), { code: 'rate_limited' });
  t.strictSame(refused, ['m concurrency', 'm concurrency']);
});

t.test('what is refused for its number in flight takes no token', async (t) => {
  const { quotas } = someQuotas([aRule({ perSecond: 1, burst: 2, concurrent: 1 })]);
  const first = quotas.take('a', 'm');
  for (let index = 0; index < 5; index += 1) t.throws(() => quotas.take('a', 'm'));
  first?.release();
  t.ok(quotas.take('a', 'm'));
});

t.test('no rule, no count', async (t) => {
  const { quotas } = someQuotas([aRule({ caller: 'key:b', concurrent: 1 })]);
  for (let index = 0; index < 3; index += 1) t.equal(quotas.take('anonymous', 'm'), undefined);
  t.equal(quotas.size, 0);
});

t.test(
  'changed rules count from the next request on, with all that has been counted',
  async (t) => {
    const { quotas, state } = someQuotas([aRule({ perSecond: 1, burst: 10, concurrent: 5 })]);
    const held = [quotas.take('a', 'm'), quotas.take('a', 'm'), quotas.take('a', 'm')];
    state.rules = [aRule({ perSecond: 1, burst: 10, concurrent: 3 })];
    t.throws(() => quotas.take('a', 'm'), { code: 'rate_limited' });
    held[0]?.release();
    t.ok(quotas.take('a', 'm'));
    // Four of ten tokens are gone, of which six are left, and two by the smaller bucket.
    state.rules = [aRule({ perSecond: 1, burst: 2 })];
    quotas.take('a', 'm');
    quotas.take('a', 'm');
    t.throws(() => quotas.take('a', 'm'), { code: 'rate_limited' });
  },
);

t.test('names that there is no model of share one bucket', async (t) => {
  const { quotas, refused } = someQuotas([aRule({ perSecond: 1, burst: 2 })]);
  quotas.take('a', 'x1');
  quotas.take('a', 'x2');
  t.throws(() => quotas.take('a', 'x3'), { code: 'rate_limited' });
  t.strictSame(refused, [' rate']);
  t.equal(quotas.size, 1);
});

t.test('pairs are bounded, and what is forgotten first is full and idle longest', async (t) => {
  const { quotas, clock } = someQuotas([aRule({ perSecond: 1, burst: 1 })], 3);
  for (const caller of ['a', 'b', 'c']) quotas.take(caller, 'm')?.release();
  clock.advance(1_000);
  quotas.take('a', 'm')?.release();
  quotas.take('d', 'm')?.release();
  t.equal(quotas.size, 3, 'b, full and idle longest, is forgotten');
  t.throws(() => quotas.take('a', 'm'), { code: 'rate_limited' }, 'a is remembered');
  for (let index = 0; index < 1_000; index += 1) quotas.take(`x${index}`, 'm')?.release();
  t.equal(quotas.size, 3);
});

t.test('what is in flight is never forgotten', async (t) => {
  const { quotas } = someQuotas([aRule({ concurrent: 1 })], 2);
  quotas.take('a', 'm');
  for (let index = 0; index < 200; index += 1) quotas.take(`x${index}`, 'm')?.release();
  t.throws(() => quotas.take('a', 'm'), { code: 'rate_limited' });
});
