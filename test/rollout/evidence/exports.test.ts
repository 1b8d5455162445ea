import { join } from 'node:path';
import t from 'tap';
import { deferred } from '../../../src/concurrency/deferred.ts';
import type { LedgerRecord } from '../../../src/core/record.ts';
import { decide } from '../../../src/decide/decide.ts';
import { readLedger } from '../../../src/ledger/file.ts';
import { EvidenceExports } from '../../../src/rollout/evidence/exports.ts';
import { projectRoot } from '../../support/project-root.ts';

const LEDGER = join(projectRoot, 'test', 'rollout', 'golden', '0.2.0-extend');
const records: LedgerRecord[] = [];
for await (const record of readLedger(LEDGER)) records.push(record);

/** A ledger that is read once its gate opens, and counts how often it is read. */
function aLedger(gate: Promise<unknown> = Promise.resolve()) {
  const ledger = {
    reads: 0,
    size: records.length,
    head: () => records[ledger.size - 1]?.hash ?? '',
    async *read(): AsyncIterable<LedgerRecord> {
      ledger.reads += 1;
      await gate;
      yield* records.slice(0, ledger.size);
    },
  };
  return ledger;
}

t.test('an export is kept until the ledger has another record', async (t) => {
  const ledger = aLedger();
  ledger.size -= 1;
  const exports = new EvidenceExports({ ledger, decide });
  const first = await exports.of('fashion-2-1');
  t.equal(first?.evidence.id, 'fashion-2-1');
  t.equal(await exports.of('fashion-2-1'), first);
  t.equal(ledger.reads, 2);
  ledger.size += 1;
  t.equal((await exports.of('fashion-2-1'))?.chain.records, records.length);
  t.equal(ledger.reads, 4);
});

t.test('callers share an export that is under way', async (t) => {
  const ledger = aLedger();
  const exports = new EvidenceExports({ ledger, decide });
  const all = await Promise.all([1, 2, 3].map(() => exports.of('fashion-2-1')));
  t.equal(new Set(all).size, 1);
  t.equal(ledger.reads, 2);
});

t.test(
  'beyond eight an export is refused, and callers of a disk that hangs are answered',
  async (t) => {
    const gate = deferred<void>();
    const exports = new EvidenceExports({ ledger: aLedger(gate.promise), decide, msMax: 20 });
    const waiting = Array.from({ length: 8 }, (_, at) => exports.of(`fashion-2-${at}`));
    const late = Promise.allSettled(waiting);
    await t.rejects(exports.of('fashion-3-1'), { code: 'overloaded' });
    for (const outcome of await late)
      t.match(outcome, { reason: { code: 'deadline_exceeded', message: /evidence export/ } });
    gate.resolve();
    t.match(await answered(exports), { evidence: { id: 'fashion-2-1' } });
  },
);

/** Asks until the export is there: those before it in the queue take their time. */
async function answered(exports: EvidenceExports): Promise<unknown> {
  for (;;) {
    const [outcome] = await Promise.allSettled([exports.of('fashion-2-1')]);
    if (outcome?.status === 'fulfilled') return outcome.value;
  }
}
