import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { spreadOf } from '../../bench/blocks.ts';
import { benchedModel } from '../../bench/peers/benched-models.ts';
import { differenceOf, requestOf, rowIn } from '../../bench/peers/calls.ts';
import { coresFor, coresIn } from '../../bench/peers/cores.ts';
import { environmentOf } from '../../bench/peers/environment.ts';
import { highestRate } from '../../bench/peers/highest-rate.ts';
import { bestOf, commonRate } from '../../bench/peers/measure.ts';
import type { PeersResult, Round } from '../../bench/peers/peer-result.ts';
import { PEERS } from '../../bench/peers/peers.ts';
import { entryIn, pssKib } from '../../bench/peers/process-tree.ts';
import { copiesIn } from '../../bench/peers/proxies.ts';
import { reasonOf } from '../../bench/peers/reason.ts';
import { formatSpread, reportOf, rowsOf } from '../../bench/peers/report.ts';
import { withReport } from '../../bench/report.ts';
import { projectRoot } from '../support/project-root.ts';

/** A server with a capacity of so many requests a second. */
function searchOf(capacity: number, from: number, confirmed = capacity) {
  const asked: number[] = [];
  const found = highestRate({
    from,
    isGood: async (perSecond, isConfirmation) => {
      asked.push(perSecond);
      return perSecond <= (isConfirmation ? confirmed : capacity);
    },
  });
  return { found, asked };
}

t.test('the highest rate is found to within 7 %, from below and from above', async (t) => {
  for (const from of [90, 1_000, 20_000]) {
    const found = (await searchOf(1_000, from).found) ?? 0;
    t.ok(found <= 1_000 && found > 930, `from ${from}: found ${found}`);
  }
});

t.test('a rate that does not hold when it is confirmed is lowered until it does', async (t) => {
  const found = (await searchOf(1_000, 500, 900).found) ?? 0;
  t.ok(found <= 900 && found > 800, `found ${found}`);
});

t.test('one load that was disturbed does not lower the highest rate', async (t) => {
  let loads = 0;
  const found = await highestRate({
    from: 500,
    isGood: async (perSecond) => {
      loads += 1;
      return perSecond <= 1_000 && loads % 2 === 0;
    },
  });
  t.ok(found !== undefined && found > 930, `found ${found}`);
});

t.test('a server that bears nothing has no highest rate', async (t) => {
  const { found, asked } = searchOf(0, 100);
  t.equal(await found, undefined);
  t.ok(asked.length < 50, `asked ${asked.length} times`);
});

t.test('the best form is the one that answers most; failed ones do not count', async (t) => {
  const trials = [
    { form: 'a', failed: 'no' },
    { form: 'b', perSecond: 10 },
    { form: 'c', perSecond: 30 },
  ];
  t.equal(bestOf(trials)?.form, 'c');
  t.equal(bestOf(trials.slice(0, 1)), undefined);
});

t.test('the common rate is one that the slowest bears', async (t) => {
  t.equal(commonRate([5_000, 124.4]), 31);
  t.equal(commonRate([]), 0);
});

t.test('the server gets the last core and the generator the others', async (t) => {
  t.match(coresFor(coresIn(' 0-2,5\n')), { server: 5, generator: [0, 1, 2] });
  t.match(coresFor([3]), { server: undefined, words: /one core only/ });
});

t.test('a process is read right under any name', async (t) => {
  t.same(entryIn(7, '7 (ray::Serve (a) b) S 4 5 6 0 -1'), { pid: 7, parent: 4, session: 6 });
  t.equal(entryIn(7, ''), undefined);
  t.equal(pssKib('Rss:  9 kB\nPss:               1234 kB\nPss_Anon: 1 kB\n'), 1_234);
  t.equal(pssKib(''), 0);
});

t.test(
  'a request holds the row, and an answer is read back, in every way of calling',
  async (t) => {
    const model = await benchedModel('tiny', await mkdtemp(join(t.testdir(), 'models-')));
    const row = model.rows[0] ?? new Float32Array();
    const bytes = Buffer.from(row.buffer);
    for (const kind of ['rest-binary', 'grpc', 'raw'] as const) {
      const call = kind === 'raw' ? { kind, path: '/x' } : { kind, model: 'model' };
      t.ok(Buffer.from(requestOf(call, model, row)).includes(bytes), kind);
    }
    const json = { kind: 'json', path: '/x' } as const;
    const text = Buffer.from(requestOf(json, model, row)).toString();
    t.same(JSON.parse(text.slice(text.indexOf('\r\n\r\n'))), { x: [[...row]] });
    t.same(rowIn(json, Buffer.from('[[1,2]]'), ''), Float32Array.of(1, 2));
    t.same(rowIn({ kind: 'raw', path: '/x' }, bytes, ''), row);
    const spelt = { kind: 'rest-json', model: 'model' } as const;
    const asked = Buffer.from(requestOf(spelt, model, row)).toString();
    t.match(JSON.parse(asked.slice(asked.indexOf('\r\n\r\n'))), {
      inputs: [{ datatype: 'FP32', shape: [1, row.length], data: [...row] }],
    });
    t.same(rowIn(spelt, Buffer.from('{"outputs":[{"data":[1,2]}]}'), ''), Float32Array.of(1, 2));
    const rest = { kind: 'rest-binary', model: 'model' } as const;
    const head = 'HTTP/1.1 200 OK\r\nInference-Header-Content-Length: 2';
    t.same(rowIn(rest, Buffer.concat([Buffer.from('{}'), bytes]), head), row);
    t.throws(
      () => rowIn(rest, Buffer.from('{}'), 'HTTP/1.1 200 OK'),
      /expected an answer in binary/,
    );
    t.equal(
      differenceOf(
        model.expected[0] ?? row,
        row.map((x) => x + 1),
        1e-4,
      ),
      undefined,
    );
  },
);

t.test('the comparison finds rows that differ, NaN and length included', async (t) => {
  const row = Float32Array.of(1, 2);
  t.match(differenceOf(Float32Array.of(1, 2.1), row, 1e-4), /expected 2 at place 1/);
  t.match(differenceOf(Float32Array.of(1, Number.NaN), row, 1e-4), /found NaN/);
  t.match(differenceOf(Float32Array.of(1), row, 1e-4), /expected 2 numbers, found 1/);
});

t.test('only copies that were compared count as made', async (t) => {
  const lines = ['compared", 1} 40', 'dropped"} 5', 'compared"} 2'];
  const metrics = lines.map((line) => `understudy_mirror_requests_total{result="${line}`);
  t.equal(copiesIn(metrics.join('\n')), 42);
});

t.test('a peer that is not installed, and may not be, is left out with the reason', async (t) => {
  // Of the pins of no other peer: these are never installed.
  const missing = environmentOf('none', ['none'], false);
  await t.rejects(missing, /none\.txt/);
});

t.test(
  'what is pinned is pinned to the last figure, and the runtime is our own version',
  async (t) => {
    const own = join(projectRoot, 'package.json');
    const { dependencies } = JSON.parse(await readFile(own, 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const peer of PEERS.filter((each) => each.package !== undefined)) {
      const file = join(projectRoot, 'bench', 'peers', 'requirements', `${peer.name}.txt`);
      const pins = (await readFile(file, 'utf8')).trim().split('\n');
      t.same(
        pins.filter((pin) => !/^[\w[\]-]+==[\d.]+$/.test(pin)),
        [],
        peer.name,
      );
      t.ok(pins.includes(`onnxruntime==${dependencies['onnxruntime-node']}`), peer.name);
    }
  },
);

t.test('the report has all that was found', async (t) => {
  const report = reportOf(aResult());
  t.match(report, '| understudy | gRPC | 512 (500 to 520) |');
  t.match(report, 'Left out: kserve, because not installed');
  t.match(report, 'slow (gRPC failed)');
  t.match(report, 'slow, gRPC: cannot open model.onnx');
});

t.test('a reason is one line without a path of the machine', async (t) => {
  const lastWords =
    "the server ended: Traceback\n  File '/a/place/serve.py', line 3\nno /b/c/model.onnx";
  const reason = reasonOf(new Error(lastWords));
  t.equal(reason, "the server ended: Traceback File 'serve.py', line 3 no model.onnx");
  t.equal(reasonOf(new Error('long '.repeat(1_000))).length, 300);
});

t.test('the page says what --report makes of the kept result, and no more', async (t) => {
  const docs = join(projectRoot, 'docs');
  const page = await readFile(join(docs, 'benchmarks-peers.md'), 'utf8');
  const kept = await readFile(join(docs, 'benchmarks', 'peers.json'), 'utf8');
  t.equal(page, withReport(page, reportOf(JSON.parse(kept) as PeersResult)));
});

t.test('a cell says the median and all that was found', async (t) => {
  t.equal(formatSpread(spreadOf([3, 1, 2]), 1), '2.0 (1.0 to 3.0)');
  t.equal(formatSpread(spreadOf([2, 2]), 0), '2');
  t.equal(rowsOf({ ...aResult().models[0], peers: [] } as never).length, 1);
});

function aRound(highestPerSecond: number): Round {
  const half = { perSecond: highestPerSecond / 2, p50Ms: 1, p99Ms: 2, errors: 0, warnings: 0 };
  const common = { ...half, perSecond: 50 };
  const closedPerSecond = 700;
  return {
    startMs: 900,
    closedPerSecond,
    highestPerSecond,
    half,
    common,
    memoryMiB: 120,
    warnings: 0,
  };
}

function aResult(): PeersResult {
  const failed = 'cannot open model.onnx';
  return {
    takenAt: '2026-01-02T03:04:05.000Z',
    machine: { node: 'v20', processor: 'a processor', cores: 2, memoryGiB: 8 },
    command: 'npm run bench:peers',
    cores: 'server on core 1, generator on core 0',
    peers: [{ name: 'understudy', versions: ['understudy 1'], how: 'defaults', source: 'docs' }],
    skipped: [{ name: 'kserve', why: 'not installed' }],
    models: [
      {
        model: 'tiny',
        title: 'an addition',
        p99MsMax: 25,
        commonPerSecond: 50,
        peers: [
          {
            peer: 'understudy',
            trials: [{ form: 'gRPC', perSecond: 700 }],
            form: 'gRPC',
            rounds: [500, 520, 512].map(aRound),
          },
          { peer: 'slow', trials: [{ form: 'gRPC', failed }], form: undefined, rounds: [] },
        ],
      },
    ],
    conditions: { rounds: 3 },
  };
}
