import { join } from 'node:path';
import t from 'tap';
import { createTimeSlicer } from '../../../src/concurrency/time-slicer.ts';
import type { LedgerRecord } from '../../../src/core/record.ts';
import { decide } from '../../../src/decide/decide.ts';
import { readLedger } from '../../../src/ledger/file.ts';
import { type EvidenceExport, exportEvidence } from '../../../src/rollout/evidence/export.ts';
import { projectRoot } from '../../support/project-root.ts';

const GOLDEN = join(projectRoot, 'test', 'rollout', 'golden');

async function recordsOf(folder: string): Promise<readonly LedgerRecord[]> {
  const records: LedgerRecord[] = [];
  for await (const record of readLedger(join(GOLDEN, folder))) records.push(record);
  return records;
}

async function exported(
  records: readonly LedgerRecord[],
  idOrModel: string,
): Promise<EvidenceExport | undefined> {
  return (await exportEvidence(() => records, { idOrModel }, { decide }))?.evidence;
}

t.test('a rollout is found by its id, and by its model as the latest', async (t) => {
  const records = await recordsOf('0.1.0');
  t.equal((await exported(records, 'fashion'))?.id, 'fashion-2-7');
  const first = await exported(records, 'fashion-2-1');
  t.match(first, { id: 'fashion-2-1', phase: { kind: 'promoted' }, rules: 1, verdict: 'pass' });
  t.equal(await exported(records, 'no-such'), undefined);
  t.equal(await exported([], 'fashion'), undefined);
});

t.test(
  'it has every look with its e-values, each decision with who decided, and the weights',
  async (t) => {
    const records = await recordsOf('0.1.0');
    const mine = (kind: string) =>
      records.filter(
        ({ body }) => body.kind === kind && 'rolloutId' in body && body.rolloutId === 'fashion-2-1',
      );
    const shown = await exported(records, 'fashion-2-1');
    if (shown === undefined) throw new Error('no rollout');
    t.equal(shown.looks.length, mine('decision').length);
    t.ok(
      shown.looks.every(({ metrics }) => metrics.every(({ logSafeNeeded }) => logSafeNeeded > 0)),
    );
    const promoted = shown.decisions.find(({ what }) => what === 'promote');
    t.ok(promoted?.decidedBy.includes('pairedErrors'), `decided by ${promoted?.decidedBy}`);
    t.equal(shown.weights[0]?.weightBp, 0);
    t.equal(shown.weights.at(-1)?.weightBp, 10_000);
    t.match(
      shown.metrics.find(({ metric }) => metric === 'pairedErrors'),
      {
        finding: 'nonInferior',
        limit: shown.spec.margins.pairedErrors,
        proven: { margin: Number },
      },
    );
  },
);

t.test('the last record about it and its hash tie it to the ledger', async (t) => {
  const records = await recordsOf('0.2.0-extend');
  const shown = await exported(records, 'fashion');
  if (shown === undefined) throw new Error('no rollout');
  t.equal(records[shown.record]?.hash, shown.headHash);
  t.match(shown.decisions.at(-1), { what: 'command', why: 'abort: seen enough' });
});

t.test('of very many looks as many are kept as a plot needs, the last among them', async (t) => {
  const records = await recordsOf('0.1.0');
  const at = records.findIndex(({ body }) => body.kind === 'decision');
  const look = records[at];
  if (look === undefined) throw new Error('no look');
  const many = Array.from({ length: 1_001 }, (_, place) => ({ ...look, index: 10_000 + place }));
  const shown = await exported([...records.slice(0, at), ...many], 'fashion');
  t.ok((shown?.looks.length ?? 0) <= 201, `${shown?.looks.length} looks`);
  t.equal(shown?.looks.at(-1)?.record, 11_000);
});

t.test('a rollout that is named by its id is not found by its model', async (t) => {
  const records = await recordsOf('0.1.0');
  const read = () => records;
  t.equal(await exportEvidence(read, { id: 'fashion' }, { decide }), undefined);
  const found = await exportEvidence(read, { id: 'fashion-2-1' }, { decide });
  t.match(found, { evidence: { id: 'fashion-2-1' }, replayed: { disagreements: 0 } });
  t.equal(found?.replayed.decisions, found?.evidence.looks.length);
});

t.test('what is written while it is exported is for the next export', async (t) => {
  const records = await recordsOf('0.1.0');
  const ends = records.findIndex(
    ({ body }) => body.kind === 'decision' && body.decision.action.kind === 'promote',
  );
  let reads = 0;
  const growing = () => {
    reads += 1;
    return records.slice(0, ends + reads);
  };
  const found = await exportEvidence(growing, { id: 'fashion-2-1' }, { decide });
  t.equal(reads, 2);
  t.match(found, { chain: { records: ends + 1 }, evidence: { record: ends } });
});

t.test('other requests are served while it is exported', async (t) => {
  const records = await recordsOf('0.2.0-rules-2');
  const slicer = { ...createTimeSlicer(), isOver: () => true };
  let [turns, isDone] = [0, false];
  const beat = (): void => {
    turns += 1;
    if (!isDone) setImmediate(beat);
  };
  setImmediate(beat);
  await exportEvidence(() => records, { id: 'fashion-2-1' }, { decide, slicer });
  isDone = true;
  t.ok(turns > 500, `the loop turned ${turns} times meanwhile`);
});
