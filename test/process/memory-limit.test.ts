import t from 'tap';
import { memoryLimit } from '../../src/process/memory-limit.ts';

t.test('the memory of this process has a finite bound', async (t) => {
  t.ok(memoryLimit() > 0 && Number.isSafeInteger(memoryLimit()));
});
