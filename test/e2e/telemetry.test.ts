import { appendFile, readFile, writeFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { grpcClient } from '../interop/grpc-client.ts';
import {
  aGrpcCollector,
  anHttpCollector,
  type Collected,
  type SeenSpan,
} from '../support/a-collector.ts';
import { until } from '../support/until.ts';
import { aPlace, type Place, RunningGateway } from './a-gateway.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const SAMPLED = `00-${TRACE}-${CALLER}-01`;
const NOT_SAMPLED = `00-${'a'.repeat(32)}-${CALLER}-00`;

/** A place whose gateway copies every request to version 2 and its twin, and sends everything to a collector. */
async function aTracedPlace(t: Test, otlp: string): Promise<Place> {
  const place = await aPlace(t, ['1', '2']);
  const text = await readFile(place.config, 'utf8');
  const route = 'route: { stable: "1", mirror: [{ version: "2", percentage: 100, twin: 100 }] }';
  await writeFile(place.config, text.replace('route: { stable: "1" }', route));
  await appendFile(place.config, `telemetry:\n  otlp: ${otlp}\n`);
  return place;
}

const BODY = JSON.stringify({
  inputs: [
    {
      name: 'image',
      datatype: 'FP32',
      shape: [1, 1, 28, 28],
      data: Array.from({ length: 784 }, () => 0),
    },
  ],
});

function infer(gateway: RunningGateway, headers: Readonly<Record<string, string>>) {
  const url = `http://127.0.0.1:${gateway.httpPort}/v2/models/fashion/infer`;
  return fetch(url, { method: 'POST', body: BODY, headers });
}

/** The span of this name in a trace, once it has come. */
function spanIn(collected: Collected, name: string, traceId?: string): Promise<SeenSpan> {
  return until(`a span ${name}`, () =>
    collected.spans.find(
      (span) => span.name === name && (traceId === undefined || span.traceId === traceId),
    ),
  );
}

t.test("a collector sees a request's tree, with the caller's own trace id", async (t) => {
  const { endpoint, collected } = await anHttpCollector(t);
  const otlp = `{ endpoint: "${endpoint}", baggage: [tenant], metricInterval: 1s }`;
  const gateway = await RunningGateway.start(t, await aTracedPlace(t, otlp));
  await infer(gateway, { traceparent: NOT_SAMPLED });
  const answer = await infer(gateway, {
    traceparent: SAMPLED,
    tracestate: 'vendor=1',
    baggage: 'tenant=acme,secret=1',
    'x-request-id': 'mine-7',
  });
  t.equal(answer.status, 200);
  t.equal(answer.headers.get('x-request-id'), 'mine-7');

  const server = await spanIn(collected, 'POST /v2/models/:model/infer', TRACE);
  t.match(server, {
    parentSpanId: CALLER,
    traceState: 'vendor=1',
    kind: 2,
    status: 0,
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/v2/models/:model/infer',
      'url.path': '/v2/models/fashion/infer',
      'http.response.status_code': 200,
      'http.request.header.x-request-id': ['mine-7'],
      'model.name': 'fashion',
      'model.version': '1',
      'understudy.arm': 'stable',
      'understudy.route.by': 'split',
      'understudy.batch.rows': 1,
      tenant: 'acme',
    },
  });
  t.notOk('secret' in server.attributes, 'baggage that is not named stays out');
  const parts = ['decode', 'queue', 'compute', 'encode'].map((part) =>
    Number(server.attributes[`understudy.${part}.duration`]),
  );
  t.ok(
    parts.every((seconds) => seconds >= 0),
    parts.join(),
  );
  const queue = await spanIn(collected, 'queue', TRACE);
  const compute = await spanIn(collected, 'compute', TRACE);
  for (const child of [queue, compute]) {
    t.equal(child.parentSpanId, server.spanId, `${child.name} is a child of the request`);
    t.ok(child.startMs >= server.startMs && child.endMs <= server.endMs, `${child.name} in time`);
  }
  t.ok(queue.endMs <= compute.startMs);

  const shadow = await spanIn(collected, 'shadow');
  t.not(shadow.traceId, TRACE, 'the copy is in a trace of its own');
  t.same(shadow.links, [{ traceId: TRACE, spanId: server.spanId }]);
  t.match(shadow.attributes, { 'model.version': '2', 'understudy.shadow.twin': true });
  for (const name of ['compute candidate', 'compute twin']) {
    t.equal((await spanIn(collected, name, shadow.traceId)).parentSpanId, shadow.spanId);
  }
  const servers = collected.spans.filter(({ kind }) => kind === 2);
  t.equal(servers.length, 1, 'what the caller does not sample is not traced');
  await t.test(
    "a scraper that takes OpenMetrics gets it whole, with the request's trace",
    async (t) => {
      const accept = 'application/openmetrics-text; version=1.0.0';
      const page = await fetch(`${gateway.adminUrl}/metrics`, { headers: { accept } });
      t.equal(page.status, 200);
      const text = await page.text();
      t.match(text, new RegExp(`understudy_request_duration_seconds_bucket.* # .*${TRACE}`));
      t.match(text, /^process_cpu_seconds_total /m);
      t.match(text, /# EOF\n$/);
    },
  );
  await t.test('metrics have the names of Prometheus, logs come too', async (t) => {
    // An export may have come between the two requests.
    const last = (name: string) => collected.metrics.findLast((metric) => metric.name === name);
    const requests = await until('both requests in the metric', () => {
      const metric = last('understudy_requests_total');
      return metric?.points[0]?.['asDouble'] === 2 && metric;
    });
    t.match(requests, { kind: 'sum', points: [{ attributes: { model: 'fashion' } }] });
    const latency = await until('both of them in the histogram', () => {
      const metric = last('understudy_request_duration_seconds');
      return Number(metric?.points[0]?.['count']) === 2 && metric;
    });
    t.equal(latency.kind, 'histogram');
    const log = await until('a line of the log', () =>
      collected.logs.find(({ body }) => /started after/.test(String(body))),
    );
    t.equal(log.severity, 'INFO');
    t.match(collected.resources[0], { 'service.name': 'understudy' });
  });
});

t.test('gRPC sends as well, and a stop sends what waits', async (t) => {
  const { endpoint, collected } = await aGrpcCollector(t);
  const otlp = `{ endpoint: "${endpoint}", protocol: grpc, signals: [traces] }`;
  const gateway = await RunningGateway.start(t, await aTracedPlace(t, otlp));
  const client = grpcClient(`127.0.0.1:${gateway.grpcPort}`);
  t.teardown(() => client.close());
  const refused = await client.call('ModelInfer', { model_name: 'fashion' }).catch(() => undefined);
  t.equal(refused, undefined);
  gateway.kill('SIGTERM');
  t.match(await gateway.ended, { code: 0 });
  const span = await spanIn(collected, 'inference.GRPCInferenceService/ModelInfer');
  t.match(span, {
    kind: 2,
    status: 0,
    attributes: {
      'rpc.system.name': 'grpc',
      'rpc.method': 'inference.GRPCInferenceService/ModelInfer',
      'rpc.status_code': 'INVALID_ARGUMENT',
      'error.type': 'invalid_input',
    },
  });
  t.equal(span.parentSpanId, '', 'without a caller it is a root');
});

t.test('a collector that never answers holds up neither requests nor the end', async (t) => {
  const { endpoint, collected } = await anHttpCollector(t, () => undefined);
  const otlp = `{ endpoint: "${endpoint}" }`;
  const gateway = await RunningGateway.start(t, await aTracedPlace(t, otlp));
  for (let at = 0; at < 20; at += 1) t.equal((await infer(gateway, {})).status, 200);
  await until('an export hangs', () => collected.exports > 0);
  const beganMs = performance.now();
  gateway.kill('SIGTERM');
  t.match(await gateway.ended, { code: 0 });
  t.ok(performance.now() - beganMs < 20_000, 'within less than the time limit of the stop');
});
