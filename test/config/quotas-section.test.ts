import t from 'tap';
import { quotasSchema } from '../../src/config/quotas-section.ts';

function problemsOf(rules: unknown): readonly string[] {
  const { error } = quotasSchema.safeParse(rules);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

t.test('a rule has defaults for what it does not say', async (t) => {
  t.strictSame(quotasSchema.parse([{ perSecond: 2.5 }, { caller: 'key:a', concurrent: 4 }]), [
    { caller: '*', model: '*', perSecond: 2.5, burst: 3, concurrent: undefined },
    { caller: 'key:a', model: '*', perSecond: undefined, burst: 1, concurrent: 4 },
  ]);
  t.equal(quotasSchema.parse([{ perSecond: 0.01 }])[0]?.burst, 1);
});

t.test('a rule that limits nothing is refused, and a burst without a rate', async (t) => {
  t.match(problemsOf([{ model: 'm' }]), [/^0: expected perSecond or concurrent, found neither/]);
  t.match(problemsOf([{ concurrent: 1, burst: 5 }]), [
    /^0\.burst: expected perSecond beside burst/,
  ]);
});

t.test('two rules about the same caller and model are refused, with the first named', async (t) => {
  const rules = [{ perSecond: 1 }, { model: 'm', perSecond: 1 }, { caller: '*', concurrent: 1 }];
  t.match(problemsOf(rules), [/^2: expected one quota for caller "\*" .* in quotas\[0\]/]);
});

t.test('values beyond their limits are refused', async (t) => {
  for (const perSecond of [0, -1, Number.POSITIVE_INFINITY, Number.NaN, 2_000_000, '5'])
    t.match(problemsOf([{ perSecond }]), [/expected a number of requests a second, above 0/]);
  for (const caller of [
    'batch',
    'key:',
    'key:a b',
    'role:x',
    `key:${'a'.repeat(300)}`,
    'key:\u{e9}',
  ])
    t.match(problemsOf([{ caller, perSecond: 1 }]), [/0\.caller: expected a caller/]);
  t.match(problemsOf([{ model: '../m', perSecond: 1 }]), [/the name of a model/]);
  t.match(problemsOf(Array(1_001).fill({ perSecond: 1 })), [/at most 1000 quotas/]);
});
