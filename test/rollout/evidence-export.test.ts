import { join } from 'node:path';
import t from 'tap';
import type { LedgerRecord } from '../../src/core/record.ts';
import { readLedger } from '../../src/ledger/file.ts';
import { exportEvidence } from '../../src/rollout/evidence-export.ts';
import { projectRoot } from '../support/project-root.ts';

const GOLDEN = join(projectRoot, 'test', 'rollout', 'golden');

async function recordsOf(folder: string): Promise<readonly LedgerRecord[]> {
  const records: LedgerRecord[] = [];
  for await (const record of readLedger(join(GOLDEN, folder))) records.push(record);
  return records;
}

t.test('a rollout is found by its id, and by its model as the latest', async (t) => {
  const records = await recordsOf('0.1.0');
  t.equal((await exportEvidence(records, 'fashion'))?.id, 'fashion-2-7');
  const first = await exportEvidence(records, 'fashion-2-1');
  t.match(first, { id: 'fashion-2-1', phase: { kind: 'promoted' }, rules: 1, verdict: 'pass' });
  t.equal(await exportEvidence(records, 'no-such'), undefined);
  t.equal(await exportEvidence([], 'fashion'), undefined);
});

t.test(
  'it has every look with its e-values, each decision with who decided, and the weights',
  async (t) => {
    const records = await recordsOf('0.1.0');
    const mine = (kind: string) =>
      records.filter(
        ({ body }) => body.kind === kind && 'rolloutId' in body && body.rolloutId === 'fashion-2-1',
      );
    const shown = await exportEvidence(records, 'fashion-2-1');
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
  const shown = await exportEvidence(records, 'fashion');
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
  const shown = await exportEvidence([...records.slice(0, at), ...many], 'fashion');
  t.ok((shown?.looks.length ?? 0) <= 201, `${shown?.looks.length} looks`);
  t.equal(shown?.looks.at(-1)?.record, 11_000);
});
