import t from 'tap';
import { MemoryBudget } from '../../src/protocol/memory-budget.ts';
import { memoryBytesMax } from '../../src/protocol/request-budget.ts';

const MIB = 1_048_576;

t.test('a quarter of the memory is for bodies where nothing else is written', async (t) => {
  t.equal(memoryBytesMax('auto', 64 * MIB, 2_048 * MIB), 512 * MIB);
});

t.test('one body of the largest size always has room', async (t) => {
  const bytesMax = memoryBytesMax('auto', 64 * MIB, 128 * MIB);
  const share = new MemoryBudget(bytesMax).open();
  share.take(64 * MIB);
  t.doesNotThrow(() => share.take(64 * MIB), 'as it came, and decoded');
});

t.test('what is written holds', async (t) => {
  t.equal(memoryBytesMax(5 * MIB, 64 * MIB, 2_048 * MIB), 5 * MIB);
});
