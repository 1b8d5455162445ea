import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../src/core/clock.ts';
import { poisson } from '../src/load/nouns/arrivals.ts';
import type { LoadReport } from '../src/load/nouns/load-report.ts';
import { type Aim, inferAim, oneRow } from './aim.ts';
import { interleave, type Rounds, ratioSpread, spreadOf } from './blocks.ts';
import type { Effort } from './effort.ts';
import type { Curve, Figure, Measurement, Suite } from './figure.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { LoadClock } from './load-clock.ts';
import { expectAllAnswered } from './loader.ts';
import { INPUT, largeModel, stackedModel } from './models.ts';
import type { Workplace } from './workplace.ts';

/** The live model: a millisecond a run, or less. */
const LIVE = { model: 'live', columns: 256, layers: 64 };
/** The model that is loaded and unloaded meanwhile: 32 matrices of 4 MiB. */
const LARGE = { model: 'large', columns: 1_024, layers: 32 };
/** Of the capacity of the live model, which leaves the machine room for a load. */
const LOAD = 0.2;
const IN_FLIGHT = 64;
const IN_FLIGHT_MAX = 512;
/** Between two changes, so that both what a load and what an unload does is seen. */
const PAUSE_MS = 250;
/** Requests that the large model answers before it counts as loaded. */
const WARMUPS = 5;
const GOAL_RATIO = 1.25;

/** What those who wait for one model feel of another one that is loaded, warmed up and unloaded. */
export const loadHarm: Suite = {
  name: 'load-harm',
  title:
    'Live latency of one model while another of 128 MiB is loaded, warmed up and unloaded in a continuous cycle, as a ratio to the same without loading',
  effort: { rounds: 9, blockMs: 6_000, warmupMs: 1_000 },
  run: measureLoadHarm,
};

const KINDS = ['quiet', 'loading', 'quietAgain'] as const;
type Block = { readonly report: LoadReport; readonly changes: readonly Change[] };
type Blocks = Rounds<(typeof KINDS)[number], Block>;
/** From the order to its end; moments of this process's monotonic clock, later of the load's own. */
type Change = {
  readonly verb: 'load' | 'unload';
  readonly fromMs: number;
  readonly toMs: number;
};

async function measureLoadHarm(workplace: Workplace, effort: Effort): Promise<Measurement> {
  const { loader, print } = workplace;
  const gateway = await startGateway(workplace);
  const asked = { port: gateway.port, protocol: 'rest-binary', model: LIVE.model } as const;
  const aim = inferAim(asked, [oneRow(INPUT, LIVE.columns)]);
  const capacity = await loader.closedRate(aim, { effort, inFlight: IN_FLIGHT });
  const perSecond = Math.max(1, Math.floor(capacity * LOAD));
  print(`${Math.round(capacity)} per second at most; loading with ${perSecond}`);
  const blocks = await interleave(KINDS, effort.rounds, async (kind, round) => {
    const changing = kind === 'loading' ? gateway : undefined;
    const block = await loadBlock(workplace, { aim, perSecond, seed: round, effort, changing });
    const { p99Ms } = block.report.measured.latency;
    print(
      `round ${round + 1} ${kind}: p99 ${p99Ms.toFixed(2)} ms, ${block.changes.length} changes`,
    );
    return block;
  });
  const changes = blocks.loading.flatMap((block) => block.changes);
  const conditions = {
    loadPerSecond: perSecond,
    ofCapacity: LOAD,
    largeMiB: (LARGE.columns ** 2 * LARGE.layers * 4) / 2 ** 20,
    loads: changes.filter(({ verb }) => verb === 'load').length,
  };
  return { conditions, figures: figuresOf(blocks), curves: timeLine(blocks) };
}

async function startGateway(workplace: Workplace): Promise<GatewayProcess> {
  await workplace.addModel(LIVE.model, stackedModel(LIVE.columns, LIVE.layers));
  await workplace.addModel(LARGE.model, largeModel(LARGE.columns, LARGE.layers));
  const zeros = `data_type: TYPE_FP32 dims: ${LARGE.columns} zero_data: true`;
  const inputs = `inputs { key: "${INPUT}" value { ${zeros} } }`;
  await workplace.configureModel(
    LARGE.model,
    `max_batch_size: 8 model_warmup { name: "zeros" batch_size: 1 count: ${WARMUPS} ${inputs} }`,
  );
  const gateway = await workplace.startGateway({
    models: {},
    server: { modelControl: 'explicit' },
  });
  await gateway.control(LARGE.model, 'unload');
  return gateway;
}

type BlockOrder = {
  readonly aim: Aim;
  readonly perSecond: number;
  /** One for each round: all kinds meet the same arrivals. */
  readonly seed: number;
  readonly effort: Effort;
  /** Where the large model comes and goes meanwhile; undefined: nowhere. */
  readonly changing: GatewayProcess | undefined;
};

async function loadBlock(
  { loader }: Workplace,
  { aim, perSecond, seed, effort, changing }: BlockOrder,
): Promise<Block> {
  const clock = new LoadClock();
  const over = new AbortController();
  const changes = changing === undefined ? [] : comeAndGo(changing, over.signal);
  const load = loader.load(
    {
      aim,
      arrivals: poisson(perSecond),
      inFlightMax: IN_FLIGHT_MAX,
      warmupMs: effort.warmupMs,
      measuredMs: effort.blockMs,
      seed,
    },
    clock.note,
  );
  const report = await load.finally(() => over.abort());
  expectAllAnswered(report);
  const inLoad = (await changes).map(({ verb, fromMs, toMs }) => ({
    verb,
    fromMs: clock.inLoadMs(fromMs),
    toMs: clock.inLoadMs(toMs),
  }));
  return { report, changes: inLoad };
}

/** Loads and unloads the large model until it is stopped, which leaves it unloaded. */
async function comeAndGo(gateway: GatewayProcess, signal: AbortSignal): Promise<Change[]> {
  const changes: Change[] = [];
  const change = async (verb: Change['verb']): Promise<void> => {
    const fromMs = systemClock.monotonicMs();
    await gateway.control(LARGE.model, verb);
    changes.push({ verb, fromMs, toMs: systemClock.monotonicMs() });
    await sleep(PAUSE_MS);
  };
  while (!signal.aborted) {
    await change('load');
    await change('unload');
  }
  return changes;
}

function figuresOf(blocks: Blocks): readonly Figure[] {
  const latencies = (kind: keyof Blocks, of: 'p50Ms' | 'p99Ms') =>
    blocks[kind].map(({ report }) => report.measured.latency[of]);
  const ratio = (of: 'p50Ms' | 'p99Ms') => ({
    unit: 'ratio' as const,
    spread: ratioSpread(latencies('loading', of), latencies('quiet', of)),
    aaControl: ratioSpread(latencies('quietAgain', of), latencies('quiet', of)),
  });
  const took = blocks.loading.flatMap(({ changes }) =>
    changes.filter(({ verb }) => verb === 'load').map(({ fromMs, toMs }) => toMs - fromMs),
  );
  const ms = (name: string, figures: readonly number[]): Figure => ({
    name,
    unit: 'ms',
    spread: spreadOf(figures),
  });
  return [
    { name: 'live p99, loading / quiet', ...ratio('p99Ms'), goal: { atMost: GOAL_RATIO } },
    { name: 'live p50, loading / quiet', ...ratio('p50Ms') },
    ms('live p99, quiet', latencies('quiet', 'p99Ms')),
    ms('live p99, loading', latencies('loading', 'p99Ms')),
    ms('one load and warm-up of the large model', took),
  ];
}

/** The last loading block with the quiet one of its round. */
function timeLine({ quiet, loading }: Blocks): readonly Curve[] {
  const [calm, busy] = [quiet.at(-1), loading.at(-1)];
  if (calm === undefined || busy === undefined) return [];
  const line = ({ report }: Block) =>
    report.timeline
      .filter(({ latency }) => latency.count > 0)
      .map((each): [number, number] => [each.fromMs / 1000, each.latency.p99Ms]);
  const bands = busy.changes
    .filter(({ verb, toMs }) => verb === 'load' && toMs > 0)
    .map(({ fromMs, toMs }) => ({
      from: Math.max(0, fromMs) / 1000,
      to: Math.min(toMs, busy.report.durationMs) / 1000,
      name: 'load',
    }))
    .filter(({ from, to }) => from < to);
  return [
    {
      name: 'time-line',
      plot: {
        title: 'Live latency while a large model is loaded, warmed up and unloaded',
        description:
          'The 99th percentile of each tenth of a second, in the last round. Shaded: from the order to load until the model is ready.',
        x: { label: 'time (s)', scale: 'linear', from: 0, unit: ' s' },
        y: { label: 'latency, p99 (ms)', scale: 'log', unit: ' ms' },
        series: [
          { name: 'quiet', tone: 'quiet', look: 'dashed', points: line(calm) },
          { name: 'loading', tone: 'one', points: line(busy) },
        ],
        bands,
      },
    },
  ];
}
