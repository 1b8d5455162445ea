import t, { type Test } from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { ServeError } from '../../../src/core/errors.ts';
import type { InferResponse } from '../../../src/core/infer.ts';
import type { LogEntry } from '../../../src/core/log.ts';
import type { OtlpSettings } from '../../../src/core/otlp.ts';
import type { Observation, Outcome } from '../../../src/core/outcome.ts';
import { seededRandom } from '../../../src/core/random.ts';
import type { TracedCall } from '../../../src/core/request-trace.ts';
import type { Assignment } from '../../../src/core/route.ts';
import { openOtel, type TraceParts } from '../../../src/telemetry/otel/open-otel.ts';
import type { ShadowRunner } from '../../../src/telemetry/otel/shadow-traces.ts';
import { anHttpCollector } from '../../support/a-collector.ts';
import { aTensor } from '../../support/a-tensor.ts';
import { anInferRequest } from '../../support/an-infer-request.ts';

const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const TO_CANDIDATE: Assignment = {
  version: '2',
  arm: 'candidate',
  by: 'split',
  routeRevision: 1,
  exposure: undefined,
  side: 'candidate',
};

/** Everything switched on, to a collector of this test; `sent` ends it and gives what the collector has got by then. */
async function anOtel(t: Test, parts: Partial<OtlpSettings> = {}) {
  const { endpoint, collected } = await anHttpCollector(t);
  const target = (signal: string) =>
    ({ protocol: 'http/protobuf', url: `${endpoint}/v1/${signal}` }) as const;
  const events: string[] = [];
  const lines: LogEntry[] = [];
  const otel = await openOtel({
    settings: {
      targets: { traces: target('traces'), metrics: target('metrics'), logs: target('logs') },
      sampler: 'always_on',
      samplerArg: 1,
      baggage: [],
      metricIntervalMs: 60_000,
      serviceName: 'mine',
      resourceAttributes: { team: 'vision' },
      problems: ['OTEL_X: ignored'],
      ...parts,
    },
    version: '0.0.0',
    clock: systemClock,
    random: seededRandom(1),
    log: (entry) => lines.push(entry),
    collectMetrics: async () => [],
    rollouts: () => [],
    onExport: (...event) => events.push(event.join(' ')),
  });
  let isOpen = true;
  const close = async () => {
    if (isOpen) await otel.close();
    isOpen = false;
  };
  t.teardown(close);
  const sent = async () => {
    await close();
    return collected;
  };
  return { otel, sent, events, lines };
}

function tracesOf({ traces }: { readonly traces: TraceParts | undefined }): TraceParts {
  if (traces === undefined) throw new Error('expected traces');
  return traces;
}

function aCall(id: string, parts: Partial<TracedCall> = {}): TracedCall {
  return {
    ...{ wire: 'grpc', operation: 's/M', path: undefined, model: 'm', callerId: undefined },
    ...{ traceparent: PARENT, tracestate: undefined, baggage: undefined },
    id,
    startedMs: systemClock.monotonicMs(),
    ...parts,
  };
}

/** An answer of one row of a batch. */
function anAnswer(rows: number, version = '1'): InferResponse {
  const timing = { queueMs: 0, computeMs: 0 };
  return { model: 'm', version, outputs: [aTensor([1])], timing, batch: { id: 5, rows } };
}

const OK = { status: 0, code: undefined, isFault: false };

t.test('requests that shared a run link to one span of their batch', async (t) => {
  const { otel, sent } = await anOtel(t);
  const { requests } = tracesOf(otel);
  for (const [id, rows] of [
    ['a', 2],
    ['b', 2],
    ['alone', 1],
  ] as const) {
    const trace = requests.begin(aCall(id));
    trace.decoded();
    trace.answered(anAnswer(rows));
    trace.end(OK);
  }
  const { spans, resources } = await sent();
  const batches = spans.filter(({ name }) => name === 'batch');
  t.equal(batches.length, 1);
  const computes = spans.filter(({ name }) => name === 'compute');
  t.same(
    computes.map(({ links }) => links.map(({ spanId }) => spanId)),
    [[batches[0]?.spanId], [batches[0]?.spanId], []],
  );
  t.match(resources[0], { 'service.name': 'mine', team: 'vision', 'service.version': '0.0.0' });
});

t.test("a request that fell back shows the arm's failure, and stable's run after it", async (t) => {
  const { otel, sent } = await anOtel(t);
  const { requests, tap } = tracesOf(otel);
  const trace = requests.begin(aCall('r'));
  trace.decoded();
  const watch = tap(anInferRequest([1], { id: 'r' }), TO_CANDIDATE);
  const nowMs = systemClock.monotonicMs();
  const times = { startedMs: nowMs, endedMs: nowMs };
  const failure: Outcome = { kind: 'failure', code: 'runtime_failed', message: 'no', ...times };
  watch?.(failure);
  trace.answered(anAnswer(1));
  trace.end(OK);
  trace.end({ status: 13, code: 'internal', isFault: true });
  const { spans } = await sent();
  const server = spans.find(({ kind }) => kind === 2);
  t.match(server, {
    status: 0,
    attributes: { 'model.version': '1', 'understudy.arm': 'candidate', 'rpc.status_code': 'OK' },
    events: [{ name: 'understudy.fallback' }],
  });
  t.match(
    spans.find(({ name }) => name === 'compute'),
    { attributes: { 'understudy.arm': 'stable', 'model.version': '1' } },
  );
  t.equal(tap(anInferRequest([1], { id: 'r' }), TO_CANDIDATE), undefined, 'it is forgotten');
});

t.test('a failed call has its code, and an error only where the server is to blame', async (t) => {
  const { otel, sent } = await anOtel(t);
  const { requests } = tracesOf(otel);
  requests.begin(aCall('mine')).end({ status: 3, code: 'invalid_input', isFault: false });
  requests.begin(aCall('yours')).end({ status: 13, code: 'internal', isFault: true });
  const { spans } = await sent();
  t.match(spans, [
    { status: 0, attributes: { 'error.type': 'invalid_input' } },
    { status: 2, attributes: { 'error.type': 'internal', 'rpc.status_code': 'INTERNAL' } },
  ]);
});

t.test('a name as long as a message is cut', async (t) => {
  const { otel, sent } = await anOtel(t);
  const long = 'm'.repeat(1_000_000);
  const call = aCall('r', { wire: 'http', model: long, path: `/${long}` });
  tracesOf(otel).requests.begin(call).end(OK);
  const [span] = (await sent()).spans;
  t.equal(String(span?.attributes['model.name']).length, 256);
  t.equal(String(span?.attributes['url.path']).length, 256);
});

const ANSWER: Observation = { kind: 'answer', outputs: [], computeMs: 1 };

t.test('a run in the shadow is traced where its request is, whether it works or not', async (t) => {
  const { otel, sent } = await anOtel(t);
  const { shadow } = tracesOf(otel);
  const target = { model: 'm', version: '2' };
  const plan = { twin: false, candidateFirst: true };
  const run: ShadowRunner['run'] = async () => ({ candidate: ANSWER, twin: undefined });
  const works: ShadowRunner = { run };
  const fails: ShadowRunner = {
    run: async () => {
      throw new ServeError('host_lost', 'gone');
    },
  };
  t.equal(shadow.wrap(works, target), shadow.wrap(works, target), 'a host is wrapped once');
  const traced = anInferRequest([1], { traceparent: PARENT });
  t.same(await shadow.wrap(works, target).run(traced, plan), await run(traced, plan));
  await t.rejects(shadow.wrap(fails, target).run(traced, plan), { code: 'host_lost' });
  const not = anInferRequest([1], { traceparent: PARENT.replace(/01$/, '00') });
  await shadow.wrap(works, target).run(not, plan);
  const { spans } = await sent();
  const shadows = spans.filter(({ name }) => name === 'shadow');
  t.match(shadows, [
    { status: 0, links: [{ spanId: '00f067aa0ba902b7' }] },
    { status: 2, attributes: { 'error.type': 'host_lost' } },
  ]);
});

t.test('a line of the log about a request carries its trace', async (t) => {
  const { otel, sent, lines } = await anOtel(t);
  const facts = { traceId: PARENT.slice(3, 35), spanId: PARENT.slice(36, 52), requestId: 'mine' };
  otel.log({ level: 'error', message: 'it broke', facts });
  const { logs } = await sent();
  t.match(logs, [
    {
      body: 'it broke',
      severity: 'ERROR',
      traceId: facts.traceId,
      attributes: { requestId: 'mine' },
    },
  ]);
  t.same(
    lines.map(({ message }) => message),
    ['OTEL_X: ignored', 'it broke'],
  );
});

t.test('signals that are not asked for are neither made nor sent', async (t) => {
  const { otel, sent } = await anOtel(t, { targets: {} });
  t.equal(otel.traces, undefined);
  otel.log({ level: 'info', message: 'only here' });
  t.equal((await sent()).exports, 0);
});

t.test(
  'with a collector that takes nothing, spans are dropped where they would be made',
  async (t) => {
    const refused = { protocol: 'http/protobuf', url: 'http://127.0.0.1:1/v1/traces' } as const;
    const { otel, events } = await anOtel(t, { targets: { traces: refused } });
    const { requests } = tracesOf(otel);
    let made = 0;
    while (requests.samples(undefined) && made < 10_000) {
      requests.begin(aCall(`r${made}`)).end(OK);
      made += 1;
    }
    t.equal(made, 4_096);
    t.same(
      new Set(events.filter((each) => each.includes('dropped'))),
      new Set(['traces dropped 1']),
    );
  },
);
