import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { projectRoot } from '../support/project-root.ts';
import { readFindings, withFindings } from './page.ts';

const PAGE = path.join(projectRoot, 'docs', 'verdicts.md');

t.test('the page says what the kept results say, and no more', async (t) => {
  const page = await readFile(PAGE, 'utf8');
  const findings = await readFindings(PAGE);
  t.ok(findings.length > 50, `found ${findings.length} changes`);
  t.equal(page, withFindings(page, findings));
});

t.test('every published verdict is the expected one', async (t) => {
  for (const { model, change, expected, seen } of await readFindings(PAGE))
    t.equal(seen, expected, `${model}, ${change}`);
});
