import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { ratiosOf, spreadOf } from '../../bench/blocks.ts';
import { GrpcClientProcess, GrpcEchoProcess } from '../../bench/grpc-processes.ts';
import { withReport } from '../../bench/report.ts';
import type { KeptResult } from '../../bench/results.ts';

const MAIN = path.join(import.meta.dirname, '..', '..', 'bench', 'main.js');
const run = promisify(execFile);
const TIME = { timeout: 100_000 };

function bench(...args: readonly string[]) {
  return run(process.execPath, [MAIN, ...args], TIME);
}

t.test(
  'a suite measures real servers and keeps finite figures with their conditions',
  TIME,
  async (t) => {
    const out = t.testdir();
    const { stdout } = await bench('overhead', '--quick', '--rounds', '1', '--out', out);
    const kept = JSON.parse(await readFile(path.join(out, 'overhead.json'), 'utf8')) as KeptResult;
    t.equal(kept.suite, 'overhead');
    t.match(kept.conditions, { requestsInFlight: Number, bodyBytes: Number, rounds: 1 });
    t.match(kept.machine, { node: process.version, cores: Number });
    t.equal(kept.figures[0]?.name, 'gateway (process tier) / echo');
    t.match(kept.figures[0]?.goal, { atLeast: 0.5 });
    for (const { name, spread } of kept.figures) {
      t.equal(spread.blocks.length, 1, `${name}: one figure for each round`);
      t.ok(spread.median > 0 && Number.isFinite(spread.median), `${name}: ${spread.median}`);
      t.ok(spread.low <= spread.median && spread.median <= spread.high, name);
      t.match(stdout, name);
    }

    const report = await bench('--report', '--out', out);
    t.match(report.stdout, '### overhead');
    t.match(
      report.stdout,
      /\| gateway \(process tier\) \/ echo \| ratio \| [\d.]+ \| .* \| at least 0.5 \|/,
    );
  },
);

t.test('gRPC and REST are measured beside stock servers, all answers being OK', TIME, async (t) => {
  const out = t.testdir();
  await bench('protocols', '--quick', '--rounds', '1', '--out', out);
  const kept = JSON.parse(await readFile(path.join(out, 'protocols.json'), 'utf8')) as KeptResult;
  const goals = kept.figures.flatMap(({ name, goal }) => (goal === undefined ? [] : [name]));
  t.strictSame(goals, [
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
    const out = t.testdir();
    await bench('json-floats', '--quick', '--rounds', '1', '--out', out);
    const kept = JSON.parse(
      await readFile(path.join(out, 'json-floats.json'), 'utf8'),
    ) as KeptResult;
    for (const form of ['4 decimals', 'full digits']) {
      for (const tier of ['process', 'thread']) {
        const goalOf = (name: string) => kept.figures.find((each) => each.name === name)?.goal;
        const gateway = `gateway (${tier} tier)`;
        t.same(goalOf(`${form}: median latency, ${gateway} / JSON.parse`), { atMost: 1 });
        t.same(goalOf(`${form}: largest gap, ${gateway}`), { atMost: 5 });
      }
    }
    // The probe is due each millisecond, so that a smaller gap is none.
    for (const { name, spread } of kept.figures)
      t.ok(spread.median > 0, `${name}: ${spread.median}`);
    t.match(kept.conditions, { floats: 150_528, fourDecimalsBytes: 1_037_149 });
  },
);

t.test('a failing call fails the gRPC load, with its status', async (t) => {
  const [echo, client] = [await GrpcEchoProcess.start(), new GrpcClientProcess()];
  t.teardown(() => {
    echo.close();
    client.close();
  });
  const load = {
    port: echo.port,
    path: '/bench.Echo/Echo',
    messageBase64: Buffer.alloc(100_000, 1).toString('base64'),
    callsInFlight: 2,
    warmupMs: 0,
    durationMs: 500,
  };
  t.ok((await client.perSecond(load)) > 0);
  const missing = { ...load, path: '/bench.Echo/Missing' };
  await t.rejects(client.perSecond(missing), /\/bench.Echo\/Missing: .* found status 12/);
});

t.test('a suite or a number that does not exist is refused by name', async (t) => {
  await t.rejects(bench('overhaed'), /expected a suite \(overhead, .*\), found 'overhaed'/);
  await t.rejects(
    bench('overhead', '--rounds', 'many'),
    /expected a whole number above 0, found many/,
  );
});

t.test('a report replaces the one before it', async (t) => {
  const page = 'above\n<!-- results -->\nold\n<!-- /results -->\nbelow\n';
  t.equal(withReport(page, 'new'), 'above\n<!-- results -->\nnew\n<!-- /results -->\nbelow\n');
  t.throws(() => withReport('a page', 'new'), /expected <!-- results -->/);
});

t.test('the spread of blocks is their median and quartiles', async (t) => {
  t.match(spreadOf([4, 1, 3, 2, 5]), { low: 2, median: 3, high: 4 });
  t.match(spreadOf([1, 2]), { low: 1.25, median: 1.5, high: 1.75 });
  t.same(ratiosOf([2, 3], [4, 2]), [0.5, 1.5]);
});
