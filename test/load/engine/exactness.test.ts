import t from 'tap';
import { seededRandom } from '../../../src/core/random.ts';
import { runLoad } from '../../../src/load/engine/run-load.ts';
import { type Arrivals, constant, poisson } from '../../../src/load/nouns/arrivals.ts';
import type { LatencySummary, LoadReport } from '../../../src/load/nouns/load-report.ts';
import type { Answer, Sender } from '../../../src/load/nouns/sender.ts';
import { StillTime } from './still-time.ts';

const OK: Answer = { error: undefined, head: '', body: Buffer.alloc(0) };
/** A histogram's step. */
const EXACTNESS = 1 / 2048;

/** How long the server holds the answer to a request that comes then. */
type Hold = (atMs: number) => number;

type Seen = { readonly report: LoadReport; readonly came: readonly number[] };

async function load(
  hold: Hold,
  fields: { arrivals: Arrivals; durationMs: number; inFlightMax?: number },
): Promise<Seen> {
  const time = new StillTime();
  const came: number[] = [];
  const sender: Sender = {
    open: () => Promise.resolve(),
    close: () => undefined,
    send: () =>
      new Promise((resolve) => {
        const atMs = time.monotonicMs();
        came.push(atMs);
        time.at(atMs + hold(atMs), () => resolve(OK));
      }),
  };
  const report = await runLoad(
    {
      sender,
      next: () => Buffer.alloc(1),
      inFlightMax: 1_000,
      warmupMs: 0,
      deadlineMs: 1_000,
      timeoutMs: 60_000,
      seed: 5,
      ...fields,
    },
    { clock: time, openAlarm: () => Promise.resolve(time) },
  );
  return { report, came };
}

/** By the nearest rank. */
function percentileOf(durations: readonly number[], percentile: number): number {
  const sorted = [...durations].sort((a, b) => a - b);
  return sorted[Math.ceil((percentile * sorted.length) / 100) - 1] ?? Number.NaN;
}

/** Percentiles that are further from those of the durations than a step of the histogram. */
function farFrom(durations: readonly number[], summary: LatencySummary): string[] {
  const percentiles = { p50Ms: 50, p90Ms: 90, p95Ms: 95, p99Ms: 99, p999Ms: 99.9 } as const;
  return Object.entries(percentiles).flatMap(([name, percentile]) => {
    const found = summary[name as keyof typeof percentiles];
    const truth = percentileOf(durations, percentile);
    // Durations are recorded in tenths of a microsecond.
    const isFar = Math.abs(found - truth) > truth * EXACTNESS + 1e-4;
    return isFar ? [`${name} ${found}, not ${truth}`] : [];
  });
}

t.test('of a server that holds each answer for 5 ms, all percentiles are 5 ms', async (t) => {
  const { report } = await load(() => 5, { arrivals: poisson(500), durationMs: 10_000 });
  const { offered, ok, latency, service, lag } = report.measured;
  t.equal(offered, ok);
  t.equal(latency.count, ok);
  t.same(farFrom([5], latency), []);
  t.same(farFrom([5], service), []);
  t.equal(lag.maxMs, 0);
  t.same(report.warnings, []);
});

t.test(
  'of a server whose answers take their time at random, percentiles are the true ones',
  async (t) => {
    const random = seededRandom(11);
    const held: number[] = [];
    const hold = (): number => {
      held.push(-5 * Math.log(1 - random.unit()));
      return held.at(-1) ?? 0;
    };
    const { report } = await load(hold, { arrivals: poisson(500), durationMs: 20_000 });
    t.ok(held.length > 9_000);
    t.same(farFrom(held, report.measured.latency), []);
  },
);

t.test(
  'of a server that stalls for one second in ten, the 99th percentile is that of its users',
  async (t) => {
    const hold = (atMs: number): number => (atMs % 10_000 >= 9_000 ? 10_000 - (atMs % 10_000) : 1);
    const open = await load(hold, { arrivals: constant(500), durationMs: 40_000 });
    t.same(farFrom(open.came.map(hold), open.report.measured.latency), []);
    t.ok(Math.abs(open.report.measured.latency.p99Ms - 900) <= 2, 'a tenth of a stall is left');
    const closed = { kind: 'closed', concurrency: 1 } as const;
    // One that waits for each answer comes to a stall once, whatever it lasts.
    const waiting = await load(hold, { arrivals: closed, durationMs: 20_000 });
    t.ok(waiting.report.measured.latency.p99Ms < 2);
    t.ok(waiting.report.measured.latency.maxMs > 990);
  },
);

t.test(
  'what waits until another request is answered has that in its latency, and not in its service',
  async (t) => {
    const { report, came } = await load(() => 5, {
      arrivals: poisson(150),
      durationMs: 20_000,
      inFlightMax: 1,
    });
    const due = await load(() => 5, { arrivals: poisson(150), durationMs: 20_000 });
    // Lindley: a request is sent when it is due, or when the one before it is answered.
    const sojourns: number[] = [];
    let freeMs = 0;
    for (const dueMs of due.came) {
      freeMs = Math.max(dueMs, freeMs) + 5;
      sojourns.push(freeMs - dueMs);
    }
    t.equal(came.length, due.came.length);
    t.same(farFrom(sojourns, report.measured.latency), []);
    t.same(farFrom([5], report.measured.service), []);
  },
);
