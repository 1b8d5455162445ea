import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { Generator } from '../../../src/load/engine/generator.ts';
import { Histogram } from '../../../src/load/engine/histogram.ts';
import { constant, poisson } from '../../../src/load/nouns/arrivals.ts';
import type { LoadPlan } from '../../../src/load/nouns/plan.ts';
import { postBytes } from '../../../src/load/wire/http-connection.ts';

const TIME = { timeout: 110_000 };
/** So many that the server with the known delay never comes to rest, and takes each request as it comes. */
const FIXED_PER_SECOND = 500;
/** Of the buckets of a histogram. */
const EXACTNESS = 0.02;

type KnownServer = { readonly child: ChildProcess; readonly port: number };

async function aServer(t: Pick<Test, 'teardown'>, kind: 'stall' | 'fixed'): Promise<KnownServer> {
  const child = fork(new URL('../stalling-server.js', import.meta.url), [kind]);
  t.teardown(() => child.disconnect());
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

function aGenerator(t: Pick<Test, 'teardown'>): Generator {
  const generator = new Generator();
  t.teardown(() => generator.close());
  return generator;
}

function aPlan(port: number, fields: Partial<LoadPlan>): LoadPlan {
  return {
    wire: { kind: 'http', address: { host: '127.0.0.1', port, tls: false } },
    requests: [postBytes({ host: 'h', path: '/', headers: {}, body: Buffer.from('x') })],
    arrivals: constant(200),
    inFlightMax: 64,
    durationMs: 4_000,
    warmupMs: 0,
    deadlineMs: 100,
    timeoutMs: 5_000,
    seed: 1,
    ...fields,
  };
}

// The server stands still for 300 ms in every 2 s: of requests at a steady rate, 15 in 100 are meant to start in a stall and
// wait up to 300 ms. A closed loop with one request in flight meets one slow answer in a stall, among thousands.
t.test('a stall of the server is seen, where a closed loop hides it', TIME, async (t) => {
  const generator = aGenerator(t);
  const open = await generator.run(aPlan((await aServer(t, 'stall')).port, {}));
  const closed = await generator.run(
    aPlan((await aServer(t, 'stall')).port, { arrivals: { kind: 'closed', concurrency: 1 } }),
  );
  const { latency } = open.measured;
  t.ok(latency.p99Ms > 240, `open loop: p99 ${latency.p99Ms} ms`);
  t.ok(latency.maxMs > 280 && latency.p50Ms < 50, `max ${latency.maxMs} ms, p50 ${latency.p50Ms}`);
  const hidden = closed.measured.latency;
  t.ok(hidden.count > 1_000, `${hidden.count} answers`);
  t.ok(hidden.p99Ms < 50, `closed loop: p99 ${hidden.p99Ms} ms`);
  t.ok(hidden.maxMs > 200, 'though it met the stall');
});

// The server says how long it really took. How close a load comes to that is up to the machine as well, so the suite `honesty` of
// the bench measures it; no machine makes a load see an answer before it was given.
t.test(
  'no load shows less than the server took, and all that is due is offered',
  TIME,
  async (t) => {
    const { child, port } = await aServer(t, 'fixed');
    const plan = aPlan(port, { arrivals: constant(FIXED_PER_SECOND), durationMs: 1_500 });
    const { measured } = await aGenerator(t).run(plan);
    child.send('how long did they take?');
    const [tookMs] = (await once(child, 'message')) as [number[]];
    const served = new Histogram();
    for (const ms of tookMs) served.add(ms);
    t.equal(measured.offered, 1.5 * FIXED_PER_SECOND);
    t.equal(measured.ok, tookMs.length, 'each answer was seen');
    for (const percent of [50, 99] as const)
      t.ok(
        measured.latency[`p${percent}Ms`] >= served.percentileMs(percent) * (1 - EXACTNESS),
        `p${percent}: ${measured.latency[`p${percent}Ms`]} of ${served.percentileMs(percent)} ms`,
      );
  },
);

t.test('a random load offers what its schedule says', TIME, async (t) => {
  const { port } = await aServer(t, 'stall');
  const plan = aPlan(port, { arrivals: poisson(1_000), durationMs: 1_500 });
  const { measured } = await aGenerator(t).run(plan);
  // Of a Poisson number of requests, five standard deviations.
  t.ok(Math.abs(measured.offered - 1_500) < 5 * Math.sqrt(1_500));
  t.ok(measured.ok >= 0.99 * measured.offered, `${measured.ok} of ${measured.offered}`);
});
