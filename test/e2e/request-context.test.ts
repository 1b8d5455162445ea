import t, { type Test } from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import type { Infer, RequestContext } from '../../src/core/infer.ts';
import type { Observation, Pair } from '../../src/core/outcome.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import { startShadowHost } from '../../src/host/shadow-host.ts';
import { createMirror } from '../../src/mirror/mirror.ts';
import { aGateway } from '../gateway/builders.ts';
import { aConversation, anInfer, floats } from '../protocol/grpc/builders.ts';
import { anInput, aServer, inferCall } from '../protocol/rest/builders.ts';
import { A_BIRTH, aHost, aHostLog } from '../support/a-host.ts';
import { aFakeSource } from '../support/a-source.ts';
import { until } from '../support/until.ts';

/** Refuses a 7 with the contexts that reached the runtime, in a worker thread. */
const SHOWS = aFakeSource('showOn=7');
const SEVEN = [7, 0] as const;
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const CALLER = 'ada';

type Shown = Omit<RequestContext, 'deadlineMs'> & { readonly leftMs: number };

/** What the runtime was given, read from its refusal. */
function shownIn(message: unknown): readonly Shown[] {
  const [found] = /\[\{"id".*\}\]/.exec(String(message)) ?? [];
  return found === undefined ? [] : JSON.parse(found);
}

/** A gateway in front of a host that runs the model, as authentication leaves a request: with its caller. */
async function aShowingGateway(t: Test, tier: 'thread' | 'process', parts = {}): Promise<Gateway> {
  const { host } = await aHost(t, { tier, source: SHOWS });
  const gateway = aGateway({ hosts: { '1': host }, ...parts });
  const { infer } = gateway;
  return Object.assign(gateway, {
    infer: (...[request, signal]: Parameters<Infer>) =>
      infer({ ...request, caller: CALLER }, signal),
  });
}

const EXPECTED = { traceparent: TRACEPARENT, caller: CALLER } as const;

for (const tier of ['thread', 'process'] as const) {
  t.test(`${tier}: the context goes from HTTP and gRPC to the runtime`, async (t) => {
    const gateway = await aShowingGateway(t, tier);
    const ids = ['http', 'call', 'stream'];
    const newId = (): string => ids.shift() ?? 'none';
    const server = aServer({ gateway, newId });
    t.teardown(() => server.close());
    const body = { parameters: { timeout: 3_000_000 }, inputs: [anInput({ data: SEVEN })] };
    const http = await server.app.inject(inferCall(body, { traceparent: TRACEPARENT }));
    const { call, stream } = await aConversation(t, { gateway, newId });
    const metadata = { traceparent: TRACEPARENT, 'x-request-timeout-ms': '3000' };
    const request = anInfer({ raw_input_contents: [floats(...SEVEN)] });
    const unary = await call('ModelInfer', request, { metadata });
    const streamed = stream(metadata);
    streamed.stream.end(request);
    const { answers } = await streamed.ended;
    const shown = [http.body, unary.error?.details, answers[0]?.['error_message']].map((message) =>
      shownIn(String(message).replaceAll('\\"', '"')),
    );
    t.match(shown, [
      [{ id: 'http', ...EXPECTED }],
      [{ id: 'call', ...EXPECTED }],
      [{ id: 'stream', ...EXPECTED }],
    ]);
    for (const leftMs of shown.map(([one]) => one?.leftMs ?? 0)) {
      t.ok(leftMs > 0 && leftMs <= 3_000, `${leftMs} ms of 3,000 are left`);
    }
  });
}

t.test('a request without a valid traceparent goes without one', async (t) => {
  const server = aServer({ gateway: await aShowingGateway(t, 'thread') });
  t.teardown(() => server.close());
  const body = { inputs: [anInput({ data: SEVEN })] };
  for (const headers of [{}, { traceparent: `${TRACEPARENT}x` }]) {
    const http = await server.app.inject(inferCall(body, headers));
    const [shown] = shownIn(http.json().error);
    t.equal(shown?.caller, CALLER);
    t.notOk('traceparent' in (shown ?? {}), 'undefined is not written');
  }
});

t.test('the context goes with the mirrored copy to the candidate and its twin', async (t) => {
  const shadow = await startShadowHost({
    candidate: SHOWS,
    twin: SHOWS,
    joinings: { candidate: ALONE, twin: ALONE },
    birth: A_BIRTH,
    queue: { requestsMax: 16, bytesMax: 100_000 },
    batchRowsMax: 8,
    runMsMax: 10_000,
    loadMsMax: 60_000,
    clock: systemClock,
    listeners: aHostLog().listeners,
  });
  t.teardown(() => shadow.close());
  const pairs: Pair[] = [];
  const { tap } = createMirror({
    readMirror: () => ({ version: '2', sampleBp: 10_000, twinBp: 10_000 }),
    openRollout: () => undefined,
    shadowHost: () => shadow,
    clock: systemClock,
    random: seededRandom(1),
    limits: MIRROR_LIMITS,
    liveInFlight: () => 1,
    report: (report) => {
      if (report.kind === 'paired') pairs.push(report.pair);
    },
    onInternalError: (operation, error) => t.fail(`${operation}: ${error}`),
  });
  const server = aServer({
    gateway: await aShowingGateway(t, 'process', { taps: [tap] }),
    newId: () => 'copied',
  });
  t.teardown(() => server.close());
  const body = { inputs: [anInput({ data: SEVEN })] };
  await server.app.inject(inferCall(body, { traceparent: TRACEPARENT }));
  const pair = await until('the pair', () => pairs[0]);
  for (const side of [pair.stable, pair.candidate, pair.twin]) {
    const shown = contextOf(side);
    t.match(shown, [{ id: 'copied', ...EXPECTED }]);
    t.ok((shown[0]?.leftMs ?? 0) > 0);
  }
  const leftMs = contextOf(pair.candidate)[0]?.leftMs ?? 0;
  const { deadlineMs, lateMs } = MIRROR_LIMITS;
  t.ok(leftMs <= deadlineMs + lateMs, "the deadline is the copy's own");
});

const ALONE = {
  joining: { kind: 'off', because: 'each shows its own context' },
  probe: false,
} as const;

const MIRROR_LIMITS = {
  concurrency: 2,
  queueRequestsMax: 4,
  queueBytesMax: 1_000_000,
  bytesMax: 1_000_000,
  deadlineMs: 4_000,
  lateMs: 1_000,
};

function contextOf(side: Observation | undefined): readonly Shown[] {
  return side?.kind === 'failure' ? shownIn(side.message) : [];
}
