import { once } from 'node:events';
import { connect } from 'node:net';
import { status } from '@grpc/grpc-js';
import t, { type Test } from 'tap';

import { systemClock } from '../../src/core/clock.ts';
import type { QuotaRule } from '../../src/core/quota.ts';
import type { ServingHost } from '../../src/gateway/gateway.ts';
import { CallerQuotas } from '../../src/gateway/quotas.ts';
import { aHeldHost } from '../gateway/a-held-host.ts';
import { aGateway, echoHost } from '../gateway/builders.ts';
import { until } from '../support/until.ts';
import { PLAIN_ROUTING } from './builders.ts';
import { aConversation, anInfer } from './grpc/builders.ts';
import { anInput, aServer, inferCall, LIMITS } from './rest/builders.ts';

const ONE_AT_A_TIME: Partial<QuotaRule> = { concurrent: 1 };

/** Quotas of which the number in flight can be seen. */
function quotasOf(rule: Partial<QuotaRule>) {
  const seen = { inFlight: 0 };
  const rules = [
    { caller: '*', model: '*', perSecond: undefined, burst: 1, concurrent: undefined, ...rule },
  ];
  const inner = new CallerQuotas({
    rules: () => rules,
    isModel: (model) => model === 'm',
    clock: systemClock,
    onRefused: () => undefined,
  });
  const take: CallerQuotas['take'] = (caller, model) => {
    const hold = inner.take(caller, model);
    if (hold === undefined) return undefined;
    seen.inFlight += 1;
    let isHeld = true;
    return {
      release: () => {
        if (isHeld) seen.inFlight -= 1;
        isHeld = false;
        hold.release();
      },
    };
  };
  return { seen, quotas: { take } };
}

type Served = {
  readonly rule: Partial<QuotaRule>;
  readonly host: ServingHost;
  readonly deadlineMs?: number;
};

async function overHttp(t: Test, { rule, host, deadlineMs = 60_000 }: Served) {
  const { seen, quotas } = quotasOf(rule);
  const refused: string[] = [];
  const server = aServer({
    gateway: aGateway({ hosts: { '1': host } }),
    quotas,
    limits: { ...LIMITS, lingerMsMax: 100 },
    routing: () => ({ ...PLAIN_ROUTING, deadlineMs }),
    onRefused: (model, code) => void refused.push(`${model} ${code}`),
  });
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  const { url, payload } = inferCall({ inputs: [anInput()] });
  const infer = (body: string | Buffer = payload, signal: AbortSignal | null = null) =>
    fetch(`http://127.0.0.1:${port}${url}`, { method: 'POST', body: String(body), signal });
  const givenBack = () => until('the place is given back', () => seen.inFlight === 0);
  return { port, infer, seen, refused, givenBack, payload: String(payload), url };
}

async function overGrpc(t: Test, { rule, host, deadlineMs = 60_000 }: Served) {
  const { seen, quotas } = quotasOf(rule);
  const conversation = await aConversation(t, {
    gateway: aGateway({ hosts: { '1': host } }),
    quotas,
    limits: { lingerMsMax: 100 },
    routing: () => ({ ...PLAIN_ROUTING, deadlineMs }),
  });
  const givenBack = () => until('the place is given back', () => seen.inFlight === 0);
  return { ...conversation, seen, givenBack };
}

const FAILING: ServingHost = {
  ...echoHost('1'),
  infer: async () => {
    throw new Error('broken');
  },
};

/** Never answers. */
const SILENT: ServingHost = { ...echoHost('1'), infer: () => new Promise(() => undefined) };

t.test('a request over its rate is refused over HTTP, with the time to try again', async (t) => {
  const { infer, refused } = await overHttp(t, {
    rule: { perSecond: 0.1, burst: 1 },
    host: echoHost('1'),
  });
  t.equal((await infer()).status, 200);
  const over = await infer();
  t.equal(over.status, 429);
  t.equal(over.headers.get('retry-after'), '10');
  t.match(await over.json(), { code: 'rate_limited', error: /over the quota/ });
  t.strictSame(refused, ['m rate_limited']);
});

t.test('over HTTP a request over its quota is refused before its body comes', async (t) => {
  const { infer, port, url } = await overHttp(t, {
    rule: { perSecond: 0.1, burst: 1 },
    host: echoHost('1'),
  });
  await infer();
  const socket = connect(port, '127.0.0.1');
  socket.write(`POST ${url} HTTP/1.1\r\nhost: a\r\ncontent-length: 90000\r\n\r\n`);
  t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 429 /);
  socket.destroy();
});

t.test('a request over its rate is refused over gRPC, with the time to try again', async (t) => {
  const { call } = await overGrpc(t, { rule: { perSecond: 0.1, burst: 1 }, host: echoHost('1') });
  t.ok((await call('ModelInfer', anInfer())).answer);
  const { error } = await call('ModelInfer', anInfer());
  t.equal(error?.code, status.RESOURCE_EXHAUSTED);
  t.strictSame(error?.metadata.get('x-understudy-error'), ['rate_limited']);
  const pushbackMs = Number(error?.metadata.get('grpc-retry-pushback-ms')[0]);
  t.ok(pushbackMs > 9_000 && pushbackMs <= 10_000, `found ${pushbackMs}`);
});

t.test(
  'over gRPC a request over its quota is refused before its tensors are decoded',
  async (t) => {
    const { call } = await overGrpc(t, { rule: { perSecond: 0.1, burst: 1 }, host: echoHost('1') });
    const wrong = anInfer({ inputs: [{ name: 'x', datatype: 'NONE', shape: [1, 2] }] });
    t.equal((await call('ModelInfer', wrong)).error?.code, status.INVALID_ARGUMENT);
    t.equal((await call('ModelInfer', wrong)).error?.code, status.RESOURCE_EXHAUSTED);
  },
);

t.test('the requests of a stream count one by one', async (t) => {
  const { stream, givenBack } = await overGrpc(t, {
    rule: { perSecond: 0.1, burst: 2 },
    host: echoHost('1'),
  });
  const opened = stream();
  for (let index = 0; index < 3; index += 1) opened.stream.write(anInfer({ id: `${index}` }));
  opened.stream.end();
  const { answers, code } = await opened.ended;
  t.equal(code, status.OK);
  t.strictSame(
    answers.map(({ error_message: message }) => /over the quota/.test(String(message))),
    [false, false, true],
  );
  await givenBack();
});

t.test(
  'a place is given back over HTTP when the answer has left, and when it is an error',
  async (t) => {
    for (const host of [echoHost('1'), FAILING]) {
      const { infer, givenBack } = await overHttp(t, { rule: ONE_AT_A_TIME, host });
      for (let index = 0; index < 3; index += 1) {
        t.not((await infer()).status, 429);
        await givenBack();
      }
      t.equal((await infer('{')).status, 400);
      await givenBack();
    }
  },
);

t.test(
  'a place is given back over HTTP when the caller goes, before or after its body',
  async (t) => {
    const { host, first } = aHeldHost();
    const { infer, port, url, givenBack, seen } = await overHttp(t, { rule: ONE_AT_A_TIME, host });
    const socket = connect(port, '127.0.0.1');
    socket.write(`POST ${url} HTTP/1.1\r\nhost: a\r\ncontent-length: 900\r\n\r\n{`);
    await until('the request holds its place', () => seen.inFlight === 1);
    t.equal((await infer()).status, 429);
    socket.destroy();
    await givenBack();
    const gone = new AbortController();
    const asked = infer(undefined, gone.signal);
    await first;
    t.equal(seen.inFlight, 1);
    gone.abort();
    await t.rejects(asked);
    await givenBack();
  },
);

t.test('places of pipelined requests are given back when their connection breaks', async (t) => {
  const { host, first } = aHeldHost();
  const { port, url, payload, givenBack, seen } = await overHttp(t, {
    rule: { concurrent: 3 },
    host,
  });
  const one = `POST ${url} HTTP/1.1\r\nhost: a\r\ncontent-length: ${payload.length}\r\n\r\n${payload}`;
  const socket = connect(port, '127.0.0.1');
  socket.write(one + one + one);
  await first;
  await until('all hold their places', () => seen.inFlight === 3);
  socket.destroy();
  await givenBack();
});

t.test('a place is given back over HTTP when the time is over', async (t) => {
  const { infer, givenBack } = await overHttp(t, {
    rule: ONE_AT_A_TIME,
    host: SILENT,
    deadlineMs: 50,
  });
  t.equal((await infer()).status, 504);
  await givenBack();
  t.equal((await infer()).status, 504);
});

t.test('a place is given back over gRPC after an answer, an error and a time-out', async (t) => {
  for (const host of [echoHost('1'), FAILING, SILENT]) {
    const { call, givenBack } = await overGrpc(t, {
      rule: ONE_AT_A_TIME,
      host,
      deadlineMs: host === SILENT ? 50 : 60_000,
    });
    for (let index = 0; index < 3; index += 1) {
      t.not((await call('ModelInfer', anInfer())).error?.code, status.RESOURCE_EXHAUSTED);
      await givenBack();
    }
  }
});

t.test(
  'a place is given back over gRPC when a call is cancelled, or its connection lost',
  async (t) => {
    const { host } = aHeldHost();
    const { call, stream, close, givenBack, seen } = await overGrpc(t, {
      rule: { concurrent: 1 },
      host,
    });
    const gone = new AbortController();
    const asked = call('ModelInfer', anInfer(), { signal: gone.signal });
    await until('the call holds its place', () => seen.inFlight === 1);
    gone.abort();
    t.equal((await asked).error?.code, status.CANCELLED);
    await givenBack();
    const opened = stream();
    opened.stream.write(anInfer());
    await until('the request holds its place', () => seen.inFlight === 1);
    opened.stream.cancel();
    await opened.ended;
    await givenBack();
    const last = stream();
    last.stream.write(anInfer());
    await until('the request holds its place', () => seen.inFlight === 1);
    close();
    last.stream.cancel();
    await givenBack();
  },
);
