import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { ratiosOf, spreadOf } from '../../bench/blocks.ts';
import type { KeptResult } from '../../bench/results.ts';
import { BENCH_TIME, bench, goalsOf } from './run-bench.ts';

t.test(
  'a suite measures real servers and keeps finite figures with their conditions',
  BENCH_TIME,
  async (t) => {
    const out = t.testdir();
    const { stdout } = await bench('overhead', '--quick', '--rounds', '1', '--out', out);
    const kept = JSON.parse(await readFile(path.join(out, 'overhead.json'), 'utf8')) as KeptResult;
    t.match(kept, {
      suite: 'overhead',
      effort: { rounds: 1 },
      loads: { withWarnings: Number },
    });
    // Four blocks; one in which the machine stood still is run again, twice at most.
    const { run } = kept.loads;
    t.ok(run >= 4 && run <= 12, `${run} loads`);
    t.match(kept.conditions, { requestsInFlight: Number, requestBytes: Number });
    t.match(kept.machine, { node: process.version, cores: Number });
    t.same(goalsOf(kept), { 'gateway (process tier) / echo': { atLeast: 0.5 } });
    for (const { name, unit, spread, aaControl } of kept.figures) {
      t.equal(spread.blocks.length, 1, `${name}: one figure for each round`);
      t.ok(spread.median > 0 && Number.isFinite(spread.median), `${name}: ${spread.median}`);
      t.equal(aaControl !== undefined, unit === 'ratio', `${name}: ratios have an A/A control`);
      t.match(stdout, name);
    }

    const report = await bench('--report', '--out', out);
    t.match(report.stdout, '### overhead');
    t.match(
      report.stdout,
      /\| gateway \(process tier\) \/ echo \| ratio \| [\d.]+ \| .* \| at least 0.5 \|/,
    );
    t.match(
      report.stdout,
      new RegExp(`The generator kept up in all ${run} loads|\\d of ${run} loads have warnings`),
    );
  },
);

t.test('a suite or a number that does not exist is refused by name', async (t) => {
  await t.rejects(bench('overhaed'), /expected a suite \(honesty, .*\), found 'overhaed'/);
  await t.rejects(
    bench('overhead', '--rounds', 'many'),
    /expected a whole number above 0, found many/,
  );
});

t.test('the spread of blocks is their median and quartiles', async (t) => {
  t.match(spreadOf([4, 1, 3, 2, 5]), { low: 2, median: 3, high: 4 });
  t.match(spreadOf([1, 2]), { low: 1.25, median: 1.5, high: 1.75 });
  t.same(ratiosOf([2, 3], [4, 2]), [0.5, 1.5]);
});
