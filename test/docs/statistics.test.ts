import t from 'tap';
import { readWorlds } from '../../bench/calibration/read-worlds.ts';
import { METRIC_NAMES } from '../../src/core/verdict.ts';
import { readPage } from './page.ts';

const PAGE = readPage('docs/reference/statistics.md');

t.test('each metric has its null, assumptions, what breaks it and what checks it', async (t) => {
  for (const metric of METRIC_NAMES) {
    const [, after = ''] = PAGE.split(`\n### \`${metric}\`\n`);
    const section = after.split(/\n##+ /)[0] ?? '';
    for (const row of ['Null', 'Evidence', 'Test', 'Assumes', 'Breaks', 'Checked'])
      t.match(section, `\n| ${row} | `, `${row} of ${metric}`);
  }
});

t.test('every world that a metric is checked by is one of the calibration', async (t) => {
  const known = new Set((await readWorlds()).map(({ name }) => name));
  const rows = [...PAGE.matchAll(/^\| Checked \| (.*) \|$/gm)];
  const named = rows.flatMap(([, row = '']) =>
    [...row.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  );
  t.ok(named.length > 20, `found ${named.length}`);
  t.same(
    named.filter((name) => !known.has(name)),
    [],
  );
});
