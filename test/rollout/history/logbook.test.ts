import t from 'tap';
import type { RecordBody } from '../../../src/core/record.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { MemoryLedger } from '../../../src/ledger/memory.ts';
import { Logbook } from '../../../src/rollout/history/logbook.ts';
import { World } from '../builders.ts';

const SIGNED_IN: RecordBody = { kind: 'access', what: 'signedIn', caller: 'key:ops' };

t.test('what is urgent does not wait for a checkpoint that the ledger refuses', async (t) => {
  const memory = new MemoryLedger(new World().clock);
  const full: Ledger = {
    append: async (body, head, options) => {
      if (options?.isUrgent !== true) throw new Error('no space left');
      return memory.append(body, head);
    },
    head: () => memory.head(),
    lastMs: () => memory.lastMs(),
    health: () => memory.health(),
    read: (from) => memory.read(from),
    isCheckpointDue: () => true,
    size: () => memory.size(),
    close: () => memory.close(),
  };
  const book = new Logbook(full);
  await book.load();
  await t.rejects(book.append(SIGNED_IN), /no space left/);
  await book.append(SIGNED_IN, { isUrgent: true });
  t.same(
    memory.records().map(({ body }) => body),
    [SIGNED_IN],
  );
});
