import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { Generator } from '../../../src/load/engine/generator.ts';
import { constant, poisson } from '../../../src/load/nouns/arrivals.ts';
import type { LoadProgress } from '../../../src/load/nouns/load-report.ts';
import type { LoadPlan } from '../../../src/load/nouns/plan.ts';
import { postBytes } from '../../../src/load/wire/http-connection.ts';
import { childrenOf } from '../../e2e/processes.ts';
import { until } from '../../support/until.ts';

const TIME = { timeout: 60_000 };

type EchoServer = { readonly server: Server; readonly port: number; readonly bodies: string[] };

/** A server that answers every request with 200 and little else; `bodies` are what it was sent. */
async function aServer(t: Pick<Test, 'teardown'>): Promise<EchoServer> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request.setEncoding('latin1')) body += part;
    bodies.push(body);
    response.end('{}');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port, bodies };
}

function aGenerator(t: Pick<Test, 'teardown'>, processes = 1): Generator {
  const generator = new Generator({ processes });
  t.teardown(() => generator.close());
  return generator;
}

function aPlan(port: number, fields: Partial<LoadPlan> = {}): LoadPlan {
  const post = (body: string) =>
    postBytes({ host: 'h', path: '/', headers: {}, body: Buffer.from(body, 'latin1') });
  return {
    wire: { kind: 'http', address: { host: '127.0.0.1', port, tls: false } },
    requests: ['a\xff', 'b', 'c'].map(post),
    arrivals: constant(200),
    inFlightMax: 8,
    durationMs: 200,
    warmupMs: 0,
    deadlineMs: 1_000,
    timeoutMs: 5_000,
    seed: 1,
    ...fields,
  };
}

t.test('requests are sent in turn, byte for byte, one load after another', TIME, async (t) => {
  const { port, bodies } = await aServer(t);
  const generator = aGenerator(t);
  const { measured } = await generator.run(aPlan(port, { inFlightMax: 1 }));
  t.match(measured, { offered: 40, ok: 40 });
  t.same(bodies.slice(0, 4), ['a\xff', 'b', 'c', 'a\xff']);
  const second = await generator.run(aPlan(port, { arrivals: { kind: 'closed', concurrency: 2 } }));
  t.equal(bodies.length, 40 + second.measured.offered);
  t.equal(second.measured.ok, second.measured.offered);
});

t.test('three processes do together what one does', TIME, async (t) => {
  const { port, bodies } = await aServer(t);
  const plan = aPlan(port, { arrivals: poisson(300), durationMs: 500, warmupMs: 100, seed: 5 });
  const one = await aGenerator(t).run(plan);
  const ofOne = bodies.splice(0).sort();
  const generator = aGenerator(t, 3);
  const three = await generator.run(plan);
  t.equal(three.processes, 3);
  t.same(bodies.splice(0).sort(), ofOne, 'the same requests');
  const offered = (report: typeof one): number[] => report.timeline.map((part) => part.offered);
  t.same(offered(three), offered(one), 'at the same times');
  t.equal(three.measured.ok, one.measured.ok);
  t.equal(three.measured.latency.count, three.measured.ok);
  const few = await generator.run(aPlan(port, { arrivals: { kind: 'closed', concurrency: 2 } }));
  t.equal(few.processes, 2, 'no more than there is room for');
});

t.test('a running load is watched, and can be ended', TIME, async (t) => {
  const { port } = await aServer(t);
  const stop = new AbortController();
  const seen: LoadProgress[] = [];
  const watch = (progress: LoadProgress): void => {
    seen.push(progress);
    if (seen.length === 3) stop.abort();
  };
  const plan = aPlan(port, { durationMs: 60_000 });
  const report = await aGenerator(t, 2).run(plan, watch, stop.signal);
  t.ok(report.durationMs > 300 && report.durationMs < 30_000, `${report.durationMs} ms`);
  t.equal(report.measured.ok, report.measured.offered);
  t.ok(seen.every((progress, at) => progress.elapsedMs >= (seen[at - 1]?.elapsedMs ?? 0)));
  t.ok(seen.some(({ answersPerSecond, p99Ms }) => answersPerSecond > 50 && p99Ms > 0));
  t.match(report.notes?.join(), /The load ended after/);
});

t.test('what a server that is not there does not answer is counted', TIME, async (t) => {
  const { measured } = await aGenerator(t, 2).run(aPlan(1));
  t.same(measured.errors, { 'connection: ECONNREFUSED': 40 });
});

t.test('a closed loop whose generator mostly waits has no warning', TIME, async (t) => {
  const { server, port } = await aServer(t);
  server.prependListener('request', (_, response) => {
    const end = response.end.bind(response);
    response.end = () => {
      setTimeout(end, 20);
      return response;
    };
  });
  const plan = aPlan(port, { arrivals: { kind: 'closed', concurrency: 1 }, durationMs: 1_000 });
  const { warnings, measured } = await aGenerator(t).run(plan);
  t.ok(measured.ok > 5);
  t.same(warnings, []);
});

t.test("a load that cannot be run fails with the generator's own message", TIME, async (t) => {
  const generator = aGenerator(t, 2);
  const { port } = await aServer(t);
  const steps = { kind: 'steps', steps: [] } as const;
  const senseless = { kind: 'open', rate: steps, spacing: { kind: 'poisson' } } as const;
  await t.rejects(
    generator.run(aPlan(port, { arrivals: senseless })),
    /the load generator failed: .*expected a rate above 0/,
  );
  await t.rejects(generator.run(aPlan(port, { inFlightMax: 0 })), /expected room/);
  await t.rejects(generator.run(aPlan(port, { requests: [] })), /expected one or more requests/);
  t.match(await generator.run(aPlan(port)), { measured: { ok: 40 } }, 'the next one is run');
});

t.test('a generator that has ended is an error, not a wait without end', TIME, async (t) => {
  const { port, bodies } = await aServer(t);
  const generator = aGenerator(t, 2);
  const report = generator.run(aPlan(port, { durationMs: 60_000 }));
  await t.rejects(generator.run(aPlan(port)), /one load at a time/);
  await until('it is under way', () => bodies.length > 10);
  const child = childrenOf(process.pid).at(-1);
  if (child) process.kill(child.pid, 'SIGKILL');
  await t.rejects(report, /the load generator ended before its load did: it ended with SIGKILL/);
  await t.rejects(generator.run(aPlan(port)), /ended before its load/);
});
