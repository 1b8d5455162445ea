import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import type { Exchange, ExchangeEnd } from '../../src/core/exchange.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Assignment } from '../../src/core/route.ts';
import { AccessLog } from '../../src/telemetry/access-log.ts';
import { anInferRequest } from '../support/an-infer-request.ts';

function aLog(sample = 1) {
  const lines: string[] = [];
  const clock = new HandClock(Date.UTC(2026, 0, 2));
  const random = seededRandom(1);
  const log = new AccessLog({ clock, random, sample, write: (line) => lines.push(line) });
  return { log, clock, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
}

function anExchange(fields: Partial<Exchange> = {}): Exchange {
  return {
    plane: 'http',
    method: 'POST',
    path: '/v2/models/fashion/infer',
    peer: { address: '127.0.0.1', port: 4_000 },
    userAgent: 'curl/8.5.0',
    callerId: 'req-1',
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    bytesIn: 12,
    startedMs: 0,
    ...fields,
  };
}

const ASSIGNED: Assignment = {
  version: '2',
  arm: 'candidate',
  by: 'split',
  routeRevision: 1,
  exposure: undefined,
  side: undefined,
};

const END: ExchangeEnd = {
  status: 200,
  route: '/v2/models/:model/infer',
  model: 'fashion',
  version: '2',
  caller: undefined,
  bytesOut: 34,
};

t.test('a request is one line, with what became known of it on its way', async (t) => {
  const { log, clock, parsed } = aLog();
  const wire = {};
  const end = log.begin(anExchange(), wire);
  log.named(wire, { id: 'id-1', model: 'fashion' });
  const request = anInferRequest([1, 2], { id: 'id-1', caller: 'key:ci' });
  const done = log.tap(request, ASSIGNED);
  clock.advance(12.3456);
  done?.({ kind: 'failure', code: 'runtime_failed', message: '', startedMs: 0, endedMs: 1 });
  end?.({ ...END, status: 500 });
  t.same(parsed(), [
    {
      timestamp: '2026-01-02T00:00:00.012Z',
      'understudy.plane': 'http',
      'http.request.method': 'POST',
      'http.route': '/v2/models/:model/infer',
      'url.path': '/v2/models/fashion/infer',
      'http.response.status_code': 500,
      'http.request.body.size': 12,
      'http.response.body.size': 34,
      'error.type': 'runtime_failed',
      'model.name': 'fashion',
      'model.version': '2',
      'understudy.arm': 'candidate',
      'understudy.duration_ms': 12.346,
      'understudy.request.id': 'id-1',
      'http.request.header.x-request-id': 'req-1',
      trace_id: 'a'.repeat(32),
      'enduser.id': 'key:ci',
      'client.address': '127.0.0.1',
      'client.port': 4_000,
      'user_agent.original': 'curl/8.5.0',
    },
  ]);
  t.equal(log.tap(request, ASSIGNED), undefined, 'what is over is known no more');
});

t.test('a call of gRPC has its method and the name of its status', async (t) => {
  const { log, parsed } = aLog();
  const path = '/inference.GRPCInferenceService/ModelInfer';
  const begin = () => log.begin(anExchange({ plane: 'grpc', path }), {});
  begin()?.({ ...END, status: 16 });
  begin()?.({ ...END, status: undefined });
  t.match(parsed(), [
    { 'rpc.method': path.slice(1), 'rpc.status_code': 'UNAUTHENTICATED' },
    { 'rpc.status_code': 'CANCELLED' },
  ]);
});

t.test('a caller that is gone before its answer is 499', async (t) => {
  const { log, parsed } = aLog();
  log.begin(anExchange(), {})?.({ ...END, status: undefined });
  t.match(parsed(), [{ 'http.response.status_code': 499 }]);
});

t.test('what callers choose is cut, and stays in one line', async (t) => {
  const { log, lines } = aLog();
  const long = `\n"}{\u2028${'x'.repeat(100_000)}`;
  log.begin(anExchange({ path: long, userAgent: long }), {})?.({ ...END, model: long });
  t.equal(lines.join('').match(/\n/g)?.length, 1);
  t.ok((lines[0]?.length ?? 0) < 2_000);
  t.ok(JSON.parse(lines[0] ?? ''));
});

t.test('what a terminal may obey is escaped, and means the same', async (t) => {
  const { log, lines, parsed } = aLog();
  const odd = 'a\u001b[2J\u007f\u009b2J\u2028\u202eb\u{e0001}ä';
  log.begin(anExchange({ path: odd, userAgent: odd }), {})?.({ ...END, model: odd });
  t.notMatch(lines[0]?.slice(0, -1), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  t.match(parsed(), [{ 'url.path': odd, 'user_agent.original': odd, 'model.name': odd }]);
});

t.test('a share of the requests is logged', async (t) => {
  const { log, lines } = aLog(0.25);
  for (let at = 0; at < 4_000; at += 1) log.begin(anExchange(), {})?.(END);
  t.ok(Math.abs(lines.length - 1_000) < 150, `${lines.length} of 4000`);
  const none = aLog(0);
  t.equal(none.log.begin(anExchange(), {}), undefined);
});
