/** A bench on a simulated server, so that what a mode finds can be held against the truth. */
import { seededRandom } from '../../../src/core/random.ts';
import type { Arm, Bench, LoadOrder } from '../../../src/load/modes/bench.ts';
import type { Arrivals } from '../../../src/load/nouns/arrivals.ts';
import { keptArrivals } from '../../../src/load/nouns/kept-arrivals.ts';
import type {
  LatencySummary,
  LoadFigures,
  LoadReport,
} from '../../../src/load/nouns/load-report.ts';
import type { Measured } from '../../../src/load/nouns/result.ts';

/** A queue before one server. Its capacity is 1000 / `serviceMs` a second. */
export type AServer = {
  /** How long a request takes once its turn has come, `elapsedMs` after the start of the `load`-th load. */
  readonly serviceMs: (moment: { readonly elapsedMs: number; readonly load: number }) => number;
  /** A time on the way that takes no capacity, from `unit` in [0, 1). */
  readonly wayMs?: (unit: number) => number;
  /** Whether a request is refused immediately. */
  readonly refuses?: (elapsedMs: number, load: number) => boolean;
};

export type ABench = Bench & {
  readonly lines: string[];
  readonly orders: (LoadOrder & { readonly arm: Arm })[];
};

type Seen = { readonly startMs: number; readonly endMs: number; readonly ok: boolean };

/** `warned`: which loads, counted from 1, the generator itself spoils. */
export function aBench(
  servers: { readonly A: AServer; readonly B?: AServer },
  tools: { readonly warned?: (load: number) => boolean; readonly signal?: AbortSignal } = {},
): ABench {
  const lines: string[] = [];
  const orders: ABench['orders'][number][] = [];
  return {
    lines,
    orders,
    signal: tools.signal,
    print: (line) => lines.push(line),
    load: async (arm, order, watch) => {
      orders.push({ arm, ...order });
      const load = orders.length;
      const server = (arm === 'A' ? servers.A : servers.B) ?? servers.A;
      const seen = simulate(server, order, load);
      for (let elapsedMs = 0; elapsedMs <= order.durationMs; elapsedMs += 250) watch?.(elapsedMs);
      const warnings = tools.warned?.(load) === true ? ['The generator was late.'] : [];
      return measuredFrom(seen, order, warnings);
    },
  };
}

/** A server with a fixed time for each request: with Poisson arrivals, the queue M/D/1. */
export function steady(serviceMs: number): AServer {
  return { serviceMs: () => serviceMs };
}

function simulate(server: AServer, order: LoadOrder, load: number): readonly Seen[] {
  const random = seededRandom(order.seed + load * 7919);
  let freeMs = 0;
  const serve = (startMs: number): Seen => {
    if (server.refuses?.(startMs, load) === true) return { startMs, endMs: startMs + 1, ok: false };
    freeMs = Math.max(freeMs, startMs) + server.serviceMs({ elapsedMs: startMs, load });
    return { startMs, endMs: freeMs + (server.wayMs?.(random.unit()) ?? 0), ok: true };
  };
  const { arrivals, durationMs } = order;
  if (arrivals.kind === 'closed') return closedLoop(serve, arrivals.concurrency, durationMs);
  return startsOf(arrivals, order).map(serve);
}

function closedLoop(serve: (startMs: number) => Seen, concurrency: number, durationMs: number) {
  const seen: Seen[] = [];
  const nextMs = Array.from({ length: concurrency }, () => 0);
  for (;;) {
    const at = nextMs.indexOf(Math.min(...nextMs));
    const startMs = nextMs[at] ?? durationMs;
    if (startMs >= durationMs) return seen;
    const one = serve(startMs);
    seen.push(one);
    nextMs[at] = one.endMs;
  }
}

function startsOf(arrivals: Arrivals, { seed, durationMs }: LoadOrder): readonly number[] {
  if (arrivals.kind === 'recorded') return arrivals.atMs;
  if (arrivals.kind !== 'open' || arrivals.rate.kind !== 'steady') throw new Error('not simulated');
  const random = seededRandom(seed);
  const gapMs = 1000 / arrivals.rate.perSecond;
  const isEven = arrivals.spacing.kind === 'constant';
  const starts: number[] = [];
  for (let atMs = isEven ? 0 : nextGap(); atMs < durationMs; atMs += isEven ? gapMs : nextGap()) {
    starts.push(atMs);
  }
  return starts;

  function nextGap(): number {
    return -Math.log1p(-random.unit()) * gapMs;
  }
}

function measuredFrom(
  seen: readonly Seen[],
  order: LoadOrder,
  warnings: readonly string[],
): Measured {
  const { arrivals, seed, durationMs, warmupMs } = order;
  const deadlineMs = order.deadlineMs ?? 1000;
  const between = (fromMs: number, toMs: number): LoadFigures =>
    figuresOf(
      seen.filter(({ startMs }) => startMs >= fromMs && startMs < toMs),
      { forMs: toMs - fromMs, deadlineMs },
    );
  const forMs = Math.max(100, durationMs / 100);
  const count = Math.floor(durationMs / forMs + 1e-6);
  const parts: Seen[][] = Array.from({ length: count }, () => []);
  for (const one of seen) parts[Math.floor(one.startMs / forMs)]?.push(one);
  const timeline = Array.from({ length: count }, (_, place) => ({
    ...figuresOf(parts[place] ?? [], { forMs, deadlineMs }),
    fromMs: place * forMs,
    forMs,
    warmup: place * forMs < warmupMs,
  }));
  const answered = seen.filter(({ ok, endMs }) => ok && endMs >= warmupMs && endMs < durationMs);
  const report: LoadReport = {
    arrivals: keptArrivals(arrivals),
    seed,
    durationMs,
    warmupMs,
    deadlineMs,
    inFlightMax: 1000,
    processes: 1,
    measured: between(warmupMs, durationMs),
    warmup: between(0, warmupMs),
    answersPerSecond: (answered.length / (durationMs - warmupMs)) * 1000,
    latencyCurve: [],
    serviceCurve: [],
    timeline,
    warnings,
  };
  return { report, server: undefined };
}

function figuresOf(
  seen: readonly Seen[],
  { forMs, deadlineMs }: { readonly forMs: number; readonly deadlineMs: number },
): LoadFigures {
  const ok = seen.filter((one) => one.ok);
  const latencies = ok.map(({ startMs, endMs }) => endMs - startMs).sort((a, b) => a - b);
  const good = latencies.filter((ms) => ms <= deadlineMs).length;
  const perSecond = (count: number): number => (count / forMs) * 1000;
  const refused = seen.length - ok.length;
  return {
    offered: seen.length,
    ok: ok.length,
    good,
    errors: refused === 0 ? {} : { 503: refused },
    offeredPerSecond: perSecond(seen.length),
    okPerSecond: perSecond(ok.length),
    goodPerSecond: perSecond(good),
    latency: summaryOf(latencies),
    service: summaryOf(latencies),
    lag: summaryOf([]),
  };
}

function summaryOf(sorted: readonly number[]): LatencySummary {
  const at = (ratio: number): number => sorted[Math.ceil(sorted.length * ratio) - 1] ?? 0;
  return {
    count: sorted.length,
    meanMs: sorted.reduce((sum, ms) => sum + ms, 0) / Math.max(1, sorted.length),
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    maxMs: at(1),
  };
}
