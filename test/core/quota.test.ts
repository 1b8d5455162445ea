import t from 'tap';
import { type QuotaRule, ruleFor } from '../../src/core/quota.ts';

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

t.test('the most specific rule counts, wherever it stands', async (t) => {
  const [all, model, caller, both] = [
    aRule(),
    aRule({ model: 'm' }),
    aRule({ caller: 'a' }),
    aRule({ caller: 'a', model: 'm' }),
  ];
  for (const rules of [
    [all, model, caller, both],
    [both, caller, model, all],
  ]) {
    t.equal(ruleFor(rules, 'a', 'm'), both);
    t.equal(ruleFor(rules, 'a', 'n'), caller);
    t.equal(ruleFor(rules, 'b', 'm'), model);
    t.equal(ruleFor(rules, 'b', 'n'), all);
  }
  t.equal(ruleFor([both, model], 'b', 'n'), undefined);
});
