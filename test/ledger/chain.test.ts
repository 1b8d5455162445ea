import fc from 'fast-check';
import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import { sha256Hex } from '../../src/core/hash.ts';
import type { RecordBody } from '../../src/core/record.ts';
import { canonicalJson } from '../../src/ledger/canonical-json.ts';
import { CHAIN_START, hashOf, sealRecord, verifyChain } from '../../src/ledger/chain.ts';
import { GENESIS, HeadMovedError } from '../../src/ledger/ledger.ts';
import { MemoryLedger } from '../../src/ledger/memory.ts';

function aBody(reason: string): RecordBody {
  return { kind: 'command', command: { kind: 'abort', model: 'm', reason }, refused: undefined };
}

t.test('canonical JSON has one spelling and survives reading back', async (t) => {
  t.equal(
    canonicalJson({ b: [1, undefined, Number.NaN], a: { d: undefined, c: 'é"' } }),
    '{"a":{"c":"é\\""},"b":[1,null,null]}',
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      return canonicalJson(JSON.parse(text)) === text;
    }),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer()), (record) => {
      const turned = Object.fromEntries(Object.entries(record).reverse());
      return canonicalJson(turned) === canonicalJson(record);
    }),
  );
});

t.test('the chain names the first record that was changed', async (t) => {
  const ledger = new MemoryLedger(new HandClock());
  for (const reason of ['a', 'b', 'c', 'd']) await ledger.append(aBody(reason), ledger.head());
  const records = ledger.records();
  t.same(await verifyChain(records), { records: 4, head: ledger.head(), broken: undefined });
  const forged = records.map((it) => (it.index === 2 ? { ...it, atMs: it.atMs + 1 } : it));
  t.match(await verifyChain(forged), {
    records: 2,
    head: records[1]?.hash,
    broken: { line: 3, problem: /record 2 was changed/ },
  });
  t.match(await verifyChain(records.slice(1)), {
    records: 0,
    broken: { line: 2, problem: /missing/ },
  });
});

t.test(
  'a line is the canonical JSON of its record, and the hash that of all but itself',
  async (t) => {
    const { record, line } = sealRecord(aBody('é "quoted"'), CHAIN_START, 1.5);
    t.equal(line, canonicalJson(record));
    const { hash, ...rest } = record;
    t.equal(hash, sha256Hex(canonicalJson(rest)));
    t.equal(hashOf(rest), hash);
  },
);

t.test('the ledger in memory refuses and continues as the file does', async (t) => {
  const clock = new HandClock();
  const ledger = new MemoryLedger(clock);
  const first = await ledger.append(aBody('a'), GENESIS);
  await t.rejects(ledger.append(aBody('b'), GENESIS), HeadMovedError);
  const again = new MemoryLedger(clock, ledger.records());
  t.equal(again.head(), first.hash);
  const second = await again.append(aBody('b'), first.hash);
  t.equal(second.previous, first.hash);
  t.equal(ledger.records().length, 1, 'the copy is its own');
});
