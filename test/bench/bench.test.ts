import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { ratiosOf, spreadOf } from '../../bench/blocks.ts';
import type { Figure } from '../../bench/figure.ts';
import type { KeptResult } from '../../bench/results.ts';

const MAIN = path.join(import.meta.dirname, '..', '..', 'bench', 'main.js');
const run = promisify(execFile);
const TIME = { timeout: 100_000 };

function bench(...args: readonly string[]) {
  return run(process.execPath, [MAIN, ...args], TIME);
}

/** One round of short blocks: whether a suite works, not what it finds. */
async function measured(t: { testdir: () => string }, suite: string): Promise<KeptResult> {
  const out = t.testdir();
  await bench(suite, '--quick', '--rounds', '1', '--out', out);
  return JSON.parse(await readFile(path.join(out, `${suite}.json`), 'utf8')) as KeptResult;
}

function goalsOf({ figures }: KeptResult): Readonly<Record<string, Figure['goal']>> {
  return Object.fromEntries(
    figures.flatMap(({ name, goal }) => (goal === undefined ? [] : [[name, goal]])),
  );
}

t.test(
  'a suite measures real servers and keeps finite figures with their conditions',
  TIME,
  async (t) => {
    const out = t.testdir();
    const { stdout } = await bench('overhead', '--quick', '--rounds', '1', '--out', out);
    const kept = JSON.parse(await readFile(path.join(out, 'overhead.json'), 'utf8')) as KeptResult;
    t.match(kept, { suite: 'overhead', effort: { rounds: 1 }, loads: { run: 4, inDoubt: Number } });
    t.match(kept.conditions, { requestsInFlight: Number, requestBytes: Number });
    t.match(kept.machine, { node: process.version, cores: Number });
    t.same(goalsOf(kept), { 'gateway (process tier) / echo': { atLeast: 0.5 } });
    for (const { name, unit, spread, self } of kept.figures) {
      t.equal(spread.blocks.length, 1, `${name}: one figure for each round`);
      t.ok(spread.median > 0 && Number.isFinite(spread.median), `${name}: ${spread.median}`);
      t.equal(self !== undefined, unit === 'ratio', `${name}: ratios stand beside the same again`);
      t.match(stdout, name);
    }

    const report = await bench('--report', '--out', out);
    t.match(report.stdout, '### overhead');
    t.match(
      report.stdout,
      /\| gateway \(process tier\) \/ echo \| ratio \| [\d.]+ \| .* \| at least 0.5 \|/,
    );
    t.match(report.stdout, /The generator (kept up in all|doubts \d of) 4 loads/);
  },
);

t.test('gRPC and REST are measured beside stock servers, all answers being OK', TIME, async (t) => {
  const kept = await measured(t, 'protocols');
  t.same(Object.keys(goalsOf(kept)), [
    'gRPC 1 KB: gateway (process tier) / echo',
    'gRPC 600 KB: gateway (process tier) / echo',
  ]);
  t.ok(kept.figures.some(({ name }) => name === 'REST 600 KB: gateway (thread tier) / sink'));
  for (const { name, spread } of kept.figures) t.ok(spread.median > 0, `${name}: ${spread.median}`);
});

t.test(
  'JSON of floats is measured beside JSON.parse, with the gaps in the loop',
  TIME,
  async (t) => {
    const kept = await measured(t, 'json-floats');
    const goals = goalsOf(kept);
    for (const form of ['4 decimals', 'full digits']) {
      for (const tier of ['process', 'thread']) {
        const gateway = `gateway (${tier} tier)`;
        t.same(goals[`${form}: median latency, ${gateway} / JSON.parse`], { atMost: 1 });
        t.same(goals[`${form}: largest gap, ${gateway}`], { atMost: 5 });
      }
    }
    // The probe is due each millisecond, so that a smaller gap is none.
    for (const { name, spread } of kept.figures)
      t.ok(spread.median > 0, `${name}: ${spread.median}`);
    t.match(kept.conditions, { floats: 150_528, fourDecimalsBytes: 1_037_149 });
  },
);

t.test('overload offers up to three times the capacity, and shows the goodput', TIME, async (t) => {
  const kept = await measured(t, 'overload');
  t.match(goalsOf(kept), {
    'goodput at 2 x capacity / peak of the round': { atLeast: 0.95 },
    'p99 of what is answered at 2 x capacity / deadline': { atMost: 1 },
  });
  const [curve] = kept.curves ?? [];
  const median = curve?.plot.series.find(({ name }) => name === 'median');
  t.same(
    median?.points.map(([multiple]) => multiple),
    [0.5, 0.75, 1, 1.25, 1.5, 2, 3],
  );
  t.ok(median?.points.every(([, goodPerSecond]) => goodPerSecond > 0));
});

t.test(
  'a large model comes and goes beside a live load, and the moment is told',
  TIME,
  async (t) => {
    const kept = await measured(t, 'load-harm');
    t.same(goalsOf(kept), { 'live p99, loading / quiet': { atMost: 1.25 } });
    t.ok(Number(kept.conditions['loads']) >= 1, 'one load at least');
    t.equal(kept.curves?.[0]?.plot.series.length, 2);
  },
);

t.test(
  'a crash of one model is lived through, and the other model is asked too',
  TIME,
  async (t) => {
    const kept = await measured(t, 'crash-recovery');
    const medianOf = (name: string) =>
      kept.figures.find((figure) => figure.name === name)?.spread.median;
    t.equal(medianOf('failed requests of the other model'), 0);
    t.ok((medianOf('to the first answer') ?? 0) > 0);
    t.equal(kept.loads.run, 2, 'both loads are counted');
  },
);

t.test('the generator is held against servers whose latency is known', TIME, async (t) => {
  const kept = await measured(t, 'honesty');
  const medianOf = (name: string) =>
    kept.figures.find((figure) => figure.name === name)?.spread.median ?? Number.NaN;
  const open = medianOf('stalls: p99, our open loop / what users feel');
  // Less than what is felt would hide the stall; more is a busy machine.
  t.ok(open > 0.8, `p99 of the open loop is ${open} of what users feel`);
  t.ok(medianOf("5 ms: p50 / the server's own") > 0.95);
  t.ok(medianOf('this machine: a thread that sleeps wakes late by, p99') > 0);
  t.match(kept.conditions, { wrk: /^debian|^\d|not installed/ });
});

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
