import { DEFAULTS } from '../src/config/defaults.ts';
import { seededRandom } from '../src/core/random.ts';
import type { Bench } from '../src/load/modes/bench.ts';
import { findCapacity } from '../src/load/modes/capacity.ts';
import { poisson } from '../src/load/nouns/arrivals.ts';
import type { LoadReport } from '../src/load/nouns/load-report.ts';
import { type Aim, inferAim, oneRow } from './aim.ts';
import { interleave, type Rounds, ratioSpread, spreadOf } from './blocks.ts';
import type { Effort } from './effort.ts';
import type { Curve, Figure, Measurement, Suite } from './figure.ts';
import { INPUT, stackedModel } from './models.ts';
import { Probe } from './probe.ts';
import type { Workplace } from './workplace.ts';

const COLUMNS = 512;
const LAYERS = 192;
const MODEL = 'stacked';
/** The default request deadline of the gateway. */
const DEADLINE_MS = DEFAULTS.model.queue.deadlineMs;
/** Of closed loops, to find the capacity: far fewer than the queue holds. */
const CONCURRENCY_MAX = 256;
/** More than the queue holds and the batches in work, so that what is refused is refused by the gateway. */
const IN_FLIGHT_MAX = 2_048;
const PROBE_EVERY_MS = 20;

/** Goodput of the gateway when the offered load exceeds its capacity. */
export const overload: Suite = {
  name: 'overload',
  title:
    'Answers within the deadline while half to three times the capacity is offered, with default settings and a model of a few milliseconds per run',
  effort: { rounds: 5, blockMs: 5_000, warmupMs: 2_000 },
  run: measureOverload,
};

/** What is offered, as a multiple of the capacity; the last is twice the capacity once more. */
const KINDS = ['0.5', '0.75', '1', '1.25', '1.5', '2', '3', '2 again'] as const;
type Kind = (typeof KINDS)[number];
const POINTS = KINDS.filter((kind) => kind !== '2 again');

type Block = {
  readonly report: LoadReport;
  /** The 99th percentile of how long the refusals of a probe took; undefined: none was refused. */
  readonly refusalP99Ms: number | undefined;
};

async function measureOverload(workplace: Workplace, effort: Effort): Promise<Measurement> {
  await workplace.addModel(MODEL, stackedModel(COLUMNS, LAYERS));
  const { port } = await workplace.startGateway({ models: { [MODEL]: {} } });
  const aim = inferAim({ port, protocol: 'rest-binary', model: MODEL }, [oneRow(INPUT, COLUMNS)]);
  const capacity = await capacityOf(workplace, aim, effort);
  const blocks = await interleave(KINDS, effort.rounds, async (kind, round) => {
    const perSecond = capacity * Number.parseFloat(kind);
    const block = await loadBlock(workplace, aim, { perSecond, seed: round, effort });
    const { goodPerSecond, latency } = block.report.measured;
    const good = `${Math.round(goodPerSecond)} of ${Math.round(perSecond)} per second`;
    workplace.print(`round ${round + 1}, ${kind}: ${good}, p99 ${latency.p99Ms.toFixed(0)} ms`);
    return block;
  });
  const conditions = {
    capacityPerSecond: Math.round(capacity),
    deadlineMs: DEADLINE_MS,
    layers: LAYERS,
    columns: COLUMNS,
  };
  return { conditions, figures: figuresOf(blocks), curves: [goodputCurve(blocks, capacity)] };
}

async function capacityOf({ loader, print }: Workplace, aim: Aim, effort: Effort): Promise<number> {
  const bench: Bench = {
    print,
    load: async (_arm, { arrivals, durationMs, warmupMs, seed }) => {
      const times = { warmupMs, measuredMs: durationMs - warmupMs };
      const report = await loader.load({
        aim,
        arrivals,
        ...times,
        inFlightMax: CONCURRENCY_MAX,
        seed,
      });
      return { report, server: undefined };
    },
  };
  const random = seededRandom(1);
  const { capacityPerSecond } = await findCapacity(bench, {
    loopMs: effort.blockMs / 2,
    warmupMs: effort.warmupMs / 2,
    concurrencyMax: CONCURRENCY_MAX,
    nextSeed: () => random.integer(2 ** 31),
  });
  return capacityPerSecond;
}

async function loadBlock(
  { loader }: Workplace,
  aim: Aim,
  {
    perSecond,
    seed,
    effort,
  }: { readonly perSecond: number; readonly seed: number; readonly effort: Effort },
): Promise<Block> {
  const probe = new Probe(aim, PROBE_EVERY_MS);
  const report = await loader.load({
    aim,
    arrivals: poisson(perSecond),
    inFlightMax: IN_FLIGHT_MAX,
    deadlineMs: DEADLINE_MS,
    warmupMs: effort.warmupMs,
    measuredMs: effort.blockMs,
    seed,
  });
  const refusedMs = (await probe.stop())
    .filter(({ error }) => error !== undefined)
    .map(({ sentMs, answeredMs }) => answeredMs - sentMs)
    .sort((a, b) => a - b);
  return { report, refusalP99Ms: refusedMs[Math.floor(refusedMs.length * 0.99)] };
}

function goodput(blocks: readonly Block[]): readonly number[] {
  return blocks.map(({ report }) => report.measured.goodPerSecond);
}

function figuresOf(blocks: Rounds<Kind, Block>): readonly Figure[] {
  const peaks = blocks['2'].map((_, round) =>
    Math.max(...POINTS.map((kind) => goodput(blocks[kind])[round] ?? 0)),
  );
  const overPeak = (kind: Kind) => ({
    name: `goodput at ${kind} x capacity / peak of the round`,
    unit: 'ratio' as const,
    spread: ratioSpread(goodput(blocks[kind]), peaks),
    aaControl: ratioSpread(goodput(blocks['2 again']), goodput(blocks['2'])),
  });
  const latencies = (kind: Kind) => blocks[kind].map(({ report }) => report.measured.latency.p99Ms);
  const p99 = (kind: Kind): Figure => ({
    name: `p99 of what is answered at ${kind} x capacity / deadline`,
    unit: 'ratio',
    spread: spreadOf(latencies(kind).map((ms) => ms / DEADLINE_MS)),
    aaControl: ratioSpread(latencies('2 again'), latencies('2')),
    goal: { atMost: 1 },
  });
  return [
    { ...overPeak('2'), goal: { atLeast: 0.95 } },
    overPeak('3'),
    p99('2'),
    p99('3'),
    ...refusals(blocks),
    { name: 'goodput, peak of the round', unit: 'per second', spread: spreadOf(peaks) },
    ...(['1', '2', '3'] as const).map(
      (kind): Figure => ({
        name: `refused at ${kind} x capacity`,
        unit: 'percent',
        spread: spreadOf(
          blocks[kind].map(
            ({ report: { measured } }) => 100 * (1 - measured.ok / measured.offered),
          ),
        ),
      }),
    ),
  ];
}

/** Where nothing was refused in any round there is nothing to say. */
function refusals(blocks: Rounds<Kind, Block>): readonly Figure[] {
  return (['2', '3'] as const).flatMap((kind): Figure[] => {
    const found = blocks[kind].flatMap(({ refusalP99Ms: ms }) => (ms === undefined ? [] : [ms]));
    if (found.length === 0) return [];
    return [
      {
        name: `p99 of the time to a refusal at ${kind} x capacity / deadline`,
        unit: 'ratio',
        spread: spreadOf(found.map((ms) => ms / DEADLINE_MS)),
        goal: { atMost: 0.1 },
      },
    ];
  });
}

function goodputCurve(blocks: Rounds<Kind, Block>, capacity: number): Curve {
  const spreads = POINTS.map((kind) => ({
    at: Number.parseFloat(kind),
    spread: spreadOf(goodput(blocks[kind])),
  }));
  const line = (of: 'low' | 'median' | 'high') =>
    spreads.map(({ at, spread }): [number, number] => [at, spread[of]]);
  return {
    name: 'goodput',
    plot: {
      title: 'Answers within the deadline by offered load',
      description: 'Median over the rounds, and the quartiles around it.',
      x: {
        label: 'asked for, as a multiple of the capacity',
        scale: 'linear',
        from: 0,
        unit: ' x',
      },
      y: { label: 'answers within the deadline, per second', scale: 'linear', from: 0 },
      series: [
        { name: 'third quartile', tone: 'quiet', look: 'dotted', points: line('high') },
        { name: 'first quartile', tone: 'quiet', look: 'dotted', points: line('low') },
        { name: 'median', tone: 'one', shape: 'circle', points: line('median') },
      ],
      between: { upper: 0, lower: 1, tone: 'quiet' },
      marks: [
        { axis: 'y', at: capacity, name: 'capacity' },
        { axis: 'x', at: 1, name: '1 x' },
      ],
    },
  };
}
