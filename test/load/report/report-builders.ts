import { seededRandom } from '../../../src/core/random.ts';
import type {
  Interval,
  LatencySummary,
  LoadFigures,
  LoadReport,
  PercentileCurve,
} from '../../../src/load/nouns/load-report.ts';
import type {
  BenchConditions,
  BenchRecord,
  CompareResult,
  Measured,
  ModeResult,
  Ratio,
  SloTrial,
  SoakResult,
  SweepResult,
} from '../../../src/load/nouns/result.ts';

/** A latency whose tail grows by `tail` from the median on. */
export function aSummary(p50Ms: number, tail = 4, count = 1000): LatencySummary {
  if (count === 0)
    return { count, meanMs: 0, p50Ms: 0, p90Ms: 0, p95Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 };
  const at = (share: number): number => p50Ms * (1 + (tail - 1) * share);
  return {
    count,
    meanMs: at(0.1),
    p50Ms,
    p90Ms: at(0.3),
    p95Ms: at(0.5),
    p99Ms: at(1),
    p999Ms: at(1.8),
    maxMs: at(2.5),
  };
}

export function someFigures(over: Partial<LoadFigures> = {}): LoadFigures {
  return {
    offered: 30_000,
    ok: 29_880,
    good: 29_700,
    errors: { '503': 80, timeout: 40 },
    offeredPerSecond: 500,
    okPerSecond: 498,
    goodPerSecond: 495,
    latency: aSummary(3.1, 3.97, 29_880),
    service: aSummary(3, 3, 29_880),
    lag: aSummary(0.04, 8, 30_000),
    ...over,
  };
}

/** Without a single answer. */
export function failedFigures(): LoadFigures {
  return someFigures({
    ok: 0,
    good: 0,
    okPerSecond: 0,
    goodPerSecond: 0,
    errors: { 'connection: ECONNREFUSED': 29_000, timeout: 1000 },
    latency: aSummary(0, 1, 0),
    service: aSummary(0, 1, 0),
  });
}

export function aCurve(summary: LatencySummary): PercentileCurve {
  const { count, p50Ms, p99Ms } = summary;
  if (count === 0) return [];
  const nines = Array.from({ length: 81 }, (_, step) => step / 20);
  return nines.map((nine): readonly [number, number] => {
    const percentile = 100 * (1 - 10 ** -nine);
    return [percentile, p50Ms * 0.7 + (p99Ms - p50Ms * 0.7) * (nine / 2) ** 1.6];
  });
}

/** A line of intervals that waver around the figures; `grow`: times as slow at the end as at the start. */
export function aTimeline(
  figures: LoadFigures,
  { count = 60, forMs = 1000, warmupMs = 10_000, grow = 1, seed = 7 } = {},
): readonly Interval[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, place) => {
    const slower = 1 + (grow - 1) * (place / count) + 0.25 * random.unit();
    const scaled = (summary: LatencySummary): LatencySummary =>
      aSummary(summary.p50Ms * slower, summary.p99Ms / (summary.p50Ms || 1), summary.count);
    const share = 1 / count;
    return {
      ...figures,
      fromMs: place * forMs,
      forMs,
      warmup: place * forMs < warmupMs,
      offered: Math.round(figures.offered * share),
      ok: Math.round(figures.ok * share),
      good: Math.round(figures.good * share),
      errors: Object.fromEntries(
        Object.entries(figures.errors).map(([kind, n]) => [
          kind,
          Math.round(n * share * 2 * random.unit()),
        ]),
      ),
      offeredPerSecond: figures.offeredPerSecond * (0.96 + 0.08 * random.unit()),
      okPerSecond: figures.okPerSecond * (0.96 + 0.08 * random.unit()),
      latency: scaled(figures.latency),
      service: scaled(figures.service),
    };
  });
}

export function aReport(over: Partial<LoadReport> = {}): LoadReport {
  const measured = over.measured ?? someFigures();
  return {
    arrivals: {
      kind: 'open',
      rate: { kind: 'steady', perSecond: 500 },
      spacing: { kind: 'poisson' },
    },
    seed: 42,
    durationMs: 60_000,
    warmupMs: 10_000,
    deadlineMs: 100,
    inFlightMax: 64,
    processes: 2,
    measured,
    warmup: someFigures(),
    answersPerSecond: measured.okPerSecond,
    latencyCurve: aCurve(measured.latency),
    serviceCurve: aCurve(measured.service),
    timeline: aTimeline(measured),
    warnings: [],
    ...over,
  };
}

export function aLoad(over: Partial<LoadReport> = {}): Measured {
  return {
    report: aReport(over),
    server: { requests: 29_950, requestsPerRun: 3.4, queueMs: 0.92, computeMs: 1.85 },
  };
}

export function aSweep(over: Partial<SweepResult> = {}): SweepResult {
  const capacity = 533;
  const ofCapacities = [0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 2.5, 3];
  return {
    mode: 'sweep',
    capacityPerSecond: capacity,
    closed: [1, 8, 64].map((concurrency) => ({
      concurrency,
      ...aLoad({
        arrivals: { kind: 'closed', concurrency },
        answersPerSecond: Math.min(capacity, 120 * concurrency),
      }),
    })),
    points: ofCapacities.map((ofCapacity) => {
      const perSecond = capacity * ofCapacity;
      const okPerSecond = Math.min(perSecond, capacity * 0.98);
      const goodPerSecond =
        ofCapacity > 0.95 ? okPerSecond * (0.97 - 0.04 * ofCapacity) : okPerSecond;
      const p50 = 3 / Math.max(0.06, 1 - ofCapacity * 0.97);
      const measured = someFigures({
        offered: Math.round(perSecond * 60),
        ok: Math.round(okPerSecond * 60),
        good: Math.round(goodPerSecond * 60),
        errors:
          okPerSecond < perSecond ? { '429': Math.round((perSecond - okPerSecond) * 60) } : {},
        offeredPerSecond: perSecond,
        okPerSecond,
        goodPerSecond,
        latency: aSummary(p50, 5),
        service: aSummary(Math.min(p50, 12), 4),
      });
      const queueMs = Math.min(7, p50 / 4);
      return {
        ofCapacity,
        perSecond,
        ...aLoad({ measured }),
        server: { requests: 1, requestsPerRun: 2, queueMs, computeMs: 1.9 },
      };
    }),
    kneePerSecond: capacity * 0.9,
    kneeGoodRatio: 0.95,
    ...over,
  };
}

export function aRatio(
  figure: Ratio['figure'],
  estimate: number,
  over: Partial<Ratio> = {},
): Ratio {
  return {
    figure,
    ratio: { estimate, lower: estimate * 0.94, upper: estimate * 1.07 },
    aaControl: { estimate: 0.99, lower: 0.95, upper: 1.03 },
    a: [10, 11, 12],
    b: [11, 12.4, 13],
    finding: estimate > 1.1 ? 'higher' : 'no clear difference',
    ...over,
  };
}

export function aComparison(over: Partial<CompareResult> = {}): CompareResult {
  const random = seededRandom(3);
  const rounds = 10;
  return {
    mode: 'compare',
    confidence: 0.95,
    rounds,
    ratios: [
      aRatio('p50', 1.03),
      aRatio('p90', 1.05),
      aRatio('p99', 1.12),
      aRatio('mean', 1.04),
      aRatio('good rate', 0.995),
      aRatio('answer rate', 1.0),
    ],
    trusted: true,
    leftOut: [],
    blocks: Array.from({ length: rounds * 3 }, (_, place) => {
      const arm = (['A', 'B', 'A again'] as const)[place % 3] ?? 'A';
      const p50 = (arm === 'B' ? 3.4 : 3) * (1 + 0.2 * random.unit());
      const measured = someFigures({
        latency: aSummary(p50),
        service: aSummary(p50 * 0.98),
        errors: {},
      });
      return { arm, round: 1 + Math.floor(place / 3), ...aLoad({ measured }) };
    }),
    ...over,
  };
}

export function aTrial(perSecond: number, over: Partial<SloTrial> = {}): SloTrial {
  return {
    stage: 'search',
    perSecond,
    requests: 4000,
    late: 12,
    lateMax: 30,
    verdict: 'holds',
    ...aLoad(),
    ...over,
  };
}

export function someTrials(): readonly SloTrial[] {
  return [
    aTrial(100, { late: 0 }),
    aTrial(400, { late: 3 }),
    aTrial(1600, { late: 2300, verdict: 'fails' }),
    aTrial(800, { late: 400, verdict: 'fails' }),
    aTrial(560, { late: 60, verdict: 'fails' }),
    aTrial(480, { late: 28, verdict: 'undecided' }),
    aTrial(2000, { late: 3000, verdict: 'invalid' }),
    aTrial(460, { stage: 'proof', requests: 20_000, late: 140, lateMax: 176 }),
  ];
}

export function aSoak(over: Partial<SoakResult> = {}): SoakResult {
  const random = seededRandom(5);
  const count = 240;
  const measured = someFigures();
  return {
    mode: 'soak',
    ...aLoad({
      durationMs: 7_200_000,
      warmupMs: 300_000,
      measured,
      timeline: aTimeline(measured, { count, forMs: 30_000, warmupMs: 300_000, grow: 1.4 }),
    }),
    drifts: [
      { figure: 'p50', unit: 'ms', from: 3.2, to: 3.3, pValue: 0.31, drifts: false },
      { figure: 'p99', unit: 'ms', from: 13.5, to: 18.9, pValue: 0.0003, drifts: true },
      { figure: 'errors', unit: 'ratio', from: 0.004, to: 0.004, pValue: 0.8, drifts: false },
      { figure: 'memory', unit: 'MiB', from: 212, to: 297, pValue: 0.0001, drifts: true },
    ],
    memoryMiB: Array.from({ length: count }, (_, place) => 210 + place * 0.36 + 12 * random.unit()),
    ...over,
  };
}

export function someConditions(over: Partial<BenchConditions> = {}): BenchConditions {
  return {
    command:
      'understudy bench run --target http://127.0.0.1:8000 --model fashion --rate 500 --arrivals poisson --duration 60s --warmup 10s --deadline 100ms --seed 42',
    seed: 42,
    understudy: '0.4.0',
    takenAt: '2025-06-01T12:00:00.000Z',
    machine: {
      node: 'v20.19.0',
      platform: 'linux x64',
      processor: 'Example Processor 9000',
      cores: 8,
      memoryGiB: 32,
    },
    targets: [
      {
        address: { host: '127.0.0.1', port: 8000, tls: false },
        protocol: 'rest-binary',
        model: 'fashion',
        version: '3',
        headers: {},
        server: 'understudy 0.4.0',
        platform: 'onnx_onnxv1',
        versions: ['2', '3'],
        signature: { inputs: [], outputs: [] },
      },
    ],
    inputs: 'synthetic',
    ...over,
  };
}

export function aRecord(result: ModeResult, over: Partial<BenchConditions> = {}): BenchRecord {
  return { conditions: someConditions(over), result };
}

/** One record of each mode. */
export function recordOfEach(): readonly BenchRecord[] {
  const [target] = someConditions().targets;
  const targets = target === undefined ? [] : [target, { ...target, version: '4' }];
  return [
    aRecord({ mode: 'run', ...aLoad() }),
    aRecord(aSweep()),
    aRecord(aComparison(), { targets }),
    aRecord({
      mode: 'slo',
      quantile: 0.99,
      withinMs: 50,
      confidence: 0.95,
      proofsMax: 3,
      perSecond: 460,
      trials: someTrials(),
    }),
    aRecord(aSoak()),
  ];
}
