import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { evidencePage } from '../../src/console/evidence-page.ts';
import { decide } from '../../src/decide/decide.ts';
import { readLedger } from '../../src/ledger/file.ts';
import { type CheckedExport, exportEvidence } from '../../src/rollout/evidence/export.ts';
import { understudy } from '../support/command.ts';
import { projectRoot } from '../support/project-root.ts';

const TIME = { timeout: 100_000 };
const LEDGER = join(projectRoot, 'test', 'rollout', 'golden', '0.1.0');
const folder = await mkdtemp(join(tmpdir(), 'understudy-export-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));

async function anExport(): Promise<CheckedExport> {
  const read = () => readLedger(LEDGER);
  const checked = await exportEvidence(read, { id: 'fashion-2-1' }, { decide });
  if (checked === undefined) throw new Error('no rollout');
  return checked;
}

t.test(
  'a page has two plots for each metric, the share of traffic and what it rests on',
  async (t) => {
    const checked = await anExport();
    const page = evidencePage(checked);
    t.equal(page.match(/<svg /g)?.length, 2 * checked.evidence.metrics.length + 1);
    for (const { label } of checked.evidence.metrics) t.match(page, `<h2>${label}: evidence</h2>`);
    t.match(page, checked.evidence.headHash);
    t.match(page, checked.evidence.digests.candidate);
    t.match(page, checked.chain.head);
    t.notMatch(page, /cannot be trusted/);
  },
);

t.test('nothing of a ledger becomes markup, and the page may load nothing', async (t) => {
  const { evidence, ...rest } = await anExport();
  const evil = '<script>alert(1)</script>"onload="x';
  const page = evidencePage({
    ...rest,
    evidence: {
      ...evidence,
      id: evil,
      spec: { ...evidence.spec, model: evil, candidate: evil },
      metrics: evidence.metrics.map((metric) => ({ ...metric, label: evil, missing: evil })),
      decisions: [{ record: 1, atMs: 1e300, what: 'command', why: evil, decidedBy: [evil] }],
    },
  });
  t.notMatch(page, '<script');
  t.notMatch(page, '"onload=');
  t.match(page, 'default-src &#39;none&#39;;');
});

t.test('a page of evidence that does not follow says so first', async (t) => {
  const checked = await anExport();
  const page = evidencePage({ ...checked, replayed: { decisions: 10, disagreements: 2 } });
  t.match(page, /cannot be trusted[\s\S]*2 recorded decisions do not follow/);
});

t.test(
  'the command writes the page, prints JSON, and refuses what is not there',
  TIME,
  async (t) => {
    const file = join(folder, 'page.html');
    const run = (...args: readonly string[]) => understudy(['evidence', 'export', ...args]);
    const [written, json, none] = await Promise.all([
      run(LEDGER, 'fashion-2-1', '--html', file),
      run(LEDGER, 'fashion', '-o', 'json'),
      run(LEDGER, 'nope'),
    ]);
    t.match(written, { code: 0, stdout: /fashion-2-1: fashion .* promoted[\s\S]*Written: / });
    t.match(await readFile(file, 'utf8'), /^<!DOCTYPE html>/);
    t.match(JSON.parse(json.stdout), {
      evidence: { id: 'fashion-2-7' },
      replayed: { disagreements: 0 },
    });
    t.match(none, {
      code: 2,
      stderr: /expected the id of a rollout or a model that had one, found no rollout nope/,
    });
  },
);

t.test('of a ledger that was changed nothing is exported', TIME, async (t) => {
  const changed = join(folder, 'changed');
  await cp(LEDGER, changed, { recursive: true });
  const [segment = ''] = await readdir(changed);
  const text = await readFile(join(changed, segment), 'utf8');
  await writeFile(join(changed, segment), text.replace(/"why":"proven/, '"why":"Proven'));
  const ended = await understudy(['evidence', 'export', changed, 'fashion-2-1']);
  t.match(ended, { code: 1, stdout: '', stderr: /record \d+ was changed/ });
});
