import t from 'tap';

import { MemoryBudget } from '../../src/protocol/memory-budget.ts';

const MIB = 1_048_576;

t.test('large requests leave the last of the budget to small ones', async (t) => {
  const budget = new MemoryBudget(8 * MIB);
  const large = budget.open();
  large.take(7 * MIB);
  t.throws(() => large.take(1), { code: 'memory_full', retryAfterMs: 1_000 });
  budget.open().take(65_536);
  t.equal(budget.usedBytes, 7 * MIB + 65_536);
  t.throws(() => budget.open().take(65_537), { code: 'memory_full' });
});

t.test('a budget for a request has room for it', async (t) => {
  const share = new MemoryBudget(MemoryBudget.for(MIB)).open();
  share.take(MIB);
  t.throws(() => share.take(2), { code: 'memory_full' });
});

t.test('what is given back can be taken again, and never more than was held', async (t) => {
  const budget = new MemoryBudget(8 * MIB);
  const [first, second] = [budget.open(), budget.open()];
  second.take(MIB);
  first.take(2 * MIB);
  first.give(MIB);
  t.equal(budget.usedBytes, 2 * MIB);
  first.give(9 * MIB);
  t.equal(budget.usedBytes, MIB);
  first.take(MIB);
  first.release();
  t.throws(() => first.take(1), { code: 'cancelled' });
  t.equal(budget.usedBytes, MIB);
});

t.test('a budget that shrinks takes nothing away, and lends less from then on', async (t) => {
  const budget = new MemoryBudget(16 * MIB);
  const share = budget.open();
  share.take(10 * MIB);
  budget.resize(8 * MIB);
  t.equal(budget.usedBytes, 10 * MIB);
  t.throws(() => budget.open().take(1), { code: 'memory_full' });
  share.give(9 * MIB);
  budget.open().take(2 * MIB);
  budget.resize(16 * MIB);
  budget.open().take(9 * MIB);
});
