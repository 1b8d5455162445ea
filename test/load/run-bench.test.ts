import t from 'tap';
import { poisson } from '../../src/load/nouns/arrivals.ts';
import {
  BENCH_DEFAULTS,
  type BenchRequest,
  type ModeRequest,
} from '../../src/load/nouns/bench-request.ts';
import type { Target } from '../../src/load/nouns/target.ts';
import { runBench } from '../../src/load/run-bench.ts';
import { aGateway } from '../docs/a-gateway.ts';

const TIME = { timeout: 100_000 };
t.setTimeout(2 * TIME.timeout);

const gateway = await aGateway();
t.teardown(() => gateway.close());
const REST = aTarget('rest-binary', gateway.httpPort);
const GRPC = aTarget('grpc', gateway.grpcPort);

function aTarget(protocol: Target['protocol'], port: number): Target {
  const address = { host: '127.0.0.1', port, tls: false };
  return { address, protocol, model: 'fashion', version: undefined, headers: {} };
}

const RUN: ModeRequest = { kind: 'run', arrivals: poisson(100), measuredMs: 400 };

/** As a program would write it down and read it again. */
function aRequest(parts: Partial<BenchRequest> = {}): BenchRequest {
  const request = { ...BENCH_DEFAULTS, warmupMs: 100, seed: 7, target: REST, mode: RUN, ...parts };
  return JSON.parse(JSON.stringify(request)) as BenchRequest;
}

t.test('a program measures a server by one call with plain data', TIME, async (t) => {
  const lines: string[] = [];
  const { seed, targets, inputs, result } = await runBench(aRequest({ check: true }), {
    print: (line) => lines.push(line),
  });
  t.equal(seed, 7);
  t.match(targets, [{ model: 'fashion', server: /^understudy/, versions: ['1'] }]);
  t.equal(inputs, 'synthetic (32, 1 row each)');
  if (result.mode !== 'run') throw new Error(`expected a run, found ${result.mode}`);
  const { measured } = result.report;
  t.ok(measured.offered > 10, `${measured.offered} offered`);
  t.equal(measured.ok, measured.offered);
  t.match(lines.join('\n'), /^One load: 100 a second.*\nMeasured: /);
});

t.test('a comparison by a call asks both of its servers', TIME, async (t) => {
  const arrivals = poisson(60);
  const blocks = { rounds: 3, blockMs: 200, confidence: 0.95 };
  const mode: ModeRequest = { kind: 'compare', other: GRPC, arrivals, ...blocks };
  const { targets, result } = await runBench(aRequest({ mode }));
  t.same(
    targets.map(({ protocol }) => protocol),
    ['rest-binary', 'grpc'],
  );
  t.match(result, { mode: 'compare', rounds: 3 });
});

t.test('a run that is aborted is reported as far as it came', TIME, async (t) => {
  const stop = new AbortController();
  const mode: ModeRequest = { kind: 'run', arrivals: poisson(100), measuredMs: 3_600_000 };
  const { result } = await runBench(aRequest({ mode }), {
    signal: stop.signal,
    watch: ({ elapsedMs }) => {
      if (elapsedMs > 300) stop.abort(new Error('enough'));
    },
  });
  t.match(result, { mode: 'run', report: { notes: [/The load ended after/] } });
});

t.test('a sweep that is aborted rejects with the reason', TIME, async (t) => {
  const stop = new AbortController();
  const mode: ModeRequest = { kind: 'sweep', ofCapacity: [0.1], pointMs: 60_000 };
  const work = runBench(aRequest({ mode }), {
    signal: stop.signal,
    watch: () => stop.abort(new Error('enough')),
  });
  await t.rejects(work, { message: 'enough' });
});

t.test('a bench that is aborted before its first load starts none', TIME, async (t) => {
  const signal = AbortSignal.abort(new Error('never mind'));
  let isReady = false;
  const onReady = (): void => {
    isReady = true;
  };
  await t.rejects(runBench(aRequest(), { signal, onReady }), { message: 'never mind' });
  t.notOk(isReady);
});

t.test('numbers that make no sense are refused before a server is asked', TIME, async (t) => {
  const nowhere = aTarget('rest-binary', 9);
  const wrong: readonly (readonly [parts: Partial<BenchRequest>, message: RegExp])[] = [
    [{ processes: 0 }, /processes must be a whole number, at least 1 and at most 64, not 0/],
    [{ inFlightMax: 1.5 }, /inFlightMax must be a whole number/],
    [{ connections: 1_001 }, /connections must be .*at most 1000/],
    [{ seed: -1 }, /seed must be/],
    [{ tolerance: -0.1 }, /tolerance must be/],
    [{ timeoutMs: 999 }, /timeoutMs must be a number, at least 1000/],
    [
      {
        mode: { kind: 'slo', withinMs: 40_000, quantile: 0.9, confidence: 0.9, proofMs: 1_000 },
      },
      /timeoutMs must be a number, at least 40000/,
    ],
  ];
  for (const [parts, message] of wrong) {
    await t.rejects(runBench(aRequest({ target: nowhere, ...parts })), {
      name: 'RangeError',
      message,
    });
  }
});

t.test('what cannot be sent is refused by its own error', TIME, async (t) => {
  const header = { ...REST, headers: { 'content-type': 'text/plain' } };
  const images = { kind: 'images', folder: t.testdir(), samples: 1, shapes: {} } as const;
  const shape = { kind: 'synthetic', samples: 1, batch: 1, shapes: { nope: [3] } } as const;
  const wrong: readonly (readonly [parts: Partial<BenchRequest>, message: RegExp])[] = [
    [{ target: header }, /content-type/],
    [{ inputs: images }, /expected a decoder/],
    [{ inputs: shape }, /found "nope"/],
  ];
  for (const [parts, message] of wrong) {
    await t.rejects(runBench(aRequest(parts)), { name: 'BenchRequestError', message });
  }
});

t.test('a server that is not there is a TargetError', TIME, async (t) => {
  const work = runBench(aRequest({ target: aTarget('grpc', 9) }));
  await t.rejects(work, { name: 'TargetError', message: /nothing listens there/ });
});
