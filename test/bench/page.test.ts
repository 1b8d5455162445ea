import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { publish } from '../../bench/page.ts';
import { picturesOf } from '../../bench/pictures.ts';
import { reportOf, withReport } from '../../bench/report.ts';
import { type KeptResult, readResults } from '../../bench/results.ts';
import { SUITES } from '../../bench/suites.ts';
import { projectRoot } from '../support/project-root.ts';

const PAGE = path.join(projectRoot, 'docs', 'benchmarks.md');
const FOLDER = path.join(projectRoot, 'docs', 'benchmarks');

function aResult(): KeptResult {
  const spread = { median: 0.43, low: 0.41, high: 0.46, blocks: [0.41, 0.43, 0.46] };
  const aaControl = { median: 1.01, low: 0.99, high: 1.02, blocks: [0.99, 1.01, 1.02] };
  return {
    suite: 'overhead',
    title: 'A model against an echo',
    conditions: { requestsInFlight: 128 },
    effort: { rounds: 3, blockMs: 3_000, warmupMs: 500 },
    loads: { run: 12, withWarnings: 1, warnings: ['The generator was late.'] },
    figures: [
      { name: 'gateway / echo', unit: 'ratio', spread, aaControl, goal: { atLeast: 0.5 } },
      { name: 'echo', unit: 'per second', spread },
    ],
    curves: [
      {
        name: 'time-line',
        plot: {
          title: 'Latency over time',
          description: 'Of one round.',
          x: { label: 'time', scale: 'linear' },
          y: { label: 'p99', scale: 'log' },
          series: [
            {
              name: 'live',
              tone: 'one',
              points: [
                [0, 1],
                [1, 2],
              ],
            },
          ],
        },
      },
    ],
    takenAt: '2026-11-23T20:00:00.000Z',
    machine: { node: 'v20', processor: 'EPYC', cores: 2, memoryGiB: 24 },
  };
}

t.test('the page says what --report makes of the kept results, and no more', async (t) => {
  const page = await readFile(PAGE, 'utf8');
  const results = await readResults(path.join(FOLDER, 'results'));
  t.equal(page, withReport(page, reportOf(results, 'benchmarks/')));
  for (const result of results) {
    for (const { file, svg } of picturesOf(result)) {
      t.equal(await readFile(path.join(FOLDER, file), 'utf8'), svg, file);
    }
  }
  // Before the first publication there are none.
  if (results.length > 0) {
    t.same(
      results.map(({ suite }) => suite),
      SUITES.map(({ name }) => name).sort(),
      'every suite has been published',
    );
  }
});

t.test('the page defines every suite', async (t) => {
  const page = await readFile(PAGE, 'utf8');
  t.same(
    SUITES.filter(({ name }) => !page.includes(`\`${name}\``)).map(({ name }) => name),
    [],
  );
});

t.test('results are published with their pictures, and can be read again', async (t) => {
  const folder = t.testdir({
    'page.md': 'above\n<!-- results -->\nold\n<!-- /results -->\nbelow\n',
  });
  const file = path.join(folder, 'page.md');
  await publish(file, [aResult()]);
  const page = await readFile(file, 'utf8');
  t.match(
    page,
    '| gateway / echo | ratio | 0.430 | 0.410 to 0.460 | 1.010 (0.990 to 1.020) | at least 0.5 |',
  );
  t.match(page, '![Latency over time](page/overhead-time-line.svg)');
  t.match(page, '1 of 12 loads have warnings; the first: The generator was late.');
  t.notMatch(page, 'old');
  t.match(await readFile(path.join(folder, 'page', 'overhead.svg'), 'utf8'), /^<svg[\s\S]*gateway/);
  t.same(await readResults(path.join(folder, 'page', 'results')), [aResult()]);
  await publish(file, [{ ...aResult(), suite: 'second' }]);
  t.match(await readFile(file, 'utf8'), /### overhead[\s\S]*### second/, 'the first one stays');
});

t.test('a page without a place for results is refused', async (t) => {
  t.throws(() => withReport('a page', 'new'), /expected <!-- results -->/);
});
