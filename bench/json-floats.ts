import { seededRandom } from '../src/core/random.ts';
import { postBytes } from '../src/load/connection.ts';
import { LoadProcess } from '../src/load/load-process.ts';
import type { LoadReport } from '../src/load/run-load.ts';
import { interleave, ratiosOf, spreadOf } from './blocks.ts';
import type { Effort, Figure, Suite, SuiteResult } from './figure.ts';
import { expectAllAnswered } from './load-block.ts';
import { firstValueModel, INPUT } from './models.ts';
import { WatchedProcess } from './watched-process.ts';
import { Workplace } from './workplace.ts';

const MODEL = 'large';
/** An image of 3 x 224 x 224. */
const FLOATS = 150_528;
/** For the gaps: enough that one body arrives while others are read. */
const IN_FLIGHT = 4;
const IDLE_MS_MAX = 1_000;
const DEADLINE_MS = 5_000;

/** What reading floats from JSON costs those who wait for it, and those who wait for something else meanwhile. */
export const jsonFloats: Suite = {
  name: 'json-floats',
  title:
    'An image as JSON to a model that costs nothing, against a bare fastify route with JSON.parse and Float32Array.from; and how long the event loop of each is held up meanwhile',
  effort: { rounds: 7, blockMs: 1_500, warmupMs: 500 },
  run: measureJsonFloats,
};

type Side = 'parse' | 'process' | 'thread' | 'parseAgain';
const SIDES = ['parse', 'process', 'thread', 'parseAgain'] as const;
const GOAL_RATIO = 1;
const GOAL_GAP_MS = 5;

type Servers = Readonly<Record<Side, WatchedProcess>>;
/** The request of one form for a server. */
type Form = { readonly name: string; readonly body: Buffer };

async function measureJsonFloats(
  effort: Effort,
  tell: (line: string) => void,
): Promise<SuiteResult> {
  const workplace = await Workplace.create();
  const running: { readonly close: () => void }[] = [];
  const closing = <T extends { close: () => void }>(each: T): T => {
    running.push(each);
    return each;
  };
  try {
    await workplace.addModel(MODEL, firstValueModel(FLOATS));
    const startGateway = async (isolation: 'process' | 'thread'): Promise<WatchedProcess> => {
      const config = await workplace.writeConfig({ [MODEL]: { execution: { isolation } } });
      return closing(await WatchedProcess.startGateway(config));
    };
    const parse = closing(await WatchedProcess.startJsonServer());
    const servers: Servers = {
      parse,
      process: await startGateway('process'),
      thread: await startGateway('thread'),
      parseAgain: parse,
    };
    const bench = { servers, generator: closing(new LoadProcess()), effort, tell };
    const figures: Figure[] = [];
    for (const form of formsOf()) {
      figures.push(...(await measureLatency(form, bench)), ...(await measureGaps(form, bench)));
    }
    figures.push(await measureIdle(bench));
    return resultOf(figures, effort);
  } finally {
    for (const each of running) each.close();
    await workplace.remove();
  }
}

type Bench = {
  readonly servers: Servers;
  readonly generator: LoadProcess;
  readonly effort: Effort;
  readonly tell: (line: string) => void;
};

/** As people write floats by hand or round them, and as a language writes what it has as FP32 and takes for a double. */
function formsOf(): readonly Form[] {
  const random = seededRandom(1);
  const values = Array.from({ length: FLOATS }, () => random.unit());
  return [
    { name: '4 decimals', body: bodyOf(values.map((value) => Number(value.toFixed(4)))) },
    { name: 'full digits', body: bodyOf(values.map(Math.fround)) },
  ];
}

function bodyOf(data: readonly number[]): Buffer {
  const input = { name: INPUT, shape: [1, FLOATS], datatype: 'FP32', data };
  return Buffer.from(JSON.stringify({ inputs: [input] }));
}

/** One request at a time. */
async function measureLatency(
  { name, body }: Form,
  { servers, generator, effort, tell }: Bench,
): Promise<readonly Figure[]> {
  const medians = await interleave(SIDES, effort.rounds, async (side, round) => {
    const request = requestOf(side, servers[side].port, body);
    const load = { generator, effort, request, inFlight: 1 };
    const { latency } = await block(servers[side].port, load, effort.warmupMs);
    tell(`${name}, round ${round + 1} ${side}: median ${latency.p50Ms.toFixed(2)} ms`);
    return latency.p50Ms;
  });
  const ratio = (side: Side): Figure => ({
    name: `${name}: median latency, ${NAMES[side]} / ${NAMES.parse}`,
    unit: 'ratio',
    spread: spreadOf(ratiosOf(medians[side], medians.parse)),
  });
  return [
    { ...ratio('process'), goal: { atMost: GOAL_RATIO } },
    { ...ratio('thread'), goal: { atMost: GOAL_RATIO } },
    ratio('parseAgain'),
    ...(['parse', 'process', 'thread'] as const).map(
      (side): Figure => ({
        name: `${name}: median latency, ${NAMES[side]}`,
        unit: 'ms',
        spread: spreadOf(medians[side]),
      }),
    ),
  ];
}

/** Several requests at a time, after the warm-up; the largest gap of each block counts. */
async function measureGaps(
  { name, body }: Form,
  { servers, generator, effort, tell }: Bench,
): Promise<readonly Figure[]> {
  const sides = ['parse', 'process', 'thread'] as const;
  const gaps = await interleave(sides, effort.rounds, async (side, round) => {
    const server = servers[side];
    const load = {
      generator,
      effort,
      request: requestOf(side, server.port, body),
      inFlight: IN_FLIGHT,
    };
    await block(server.port, { ...load, effort: { ...effort, blockMs: effort.warmupMs } }, 0);
    const found = await server.gapsDuring(() => block(server.port, load, 0));
    tell(`${name}, round ${round + 1} ${side}: largest gap ${found.maxMs.toFixed(2)} ms`);
    return found;
  });
  const figure = (side: (typeof sides)[number], of: 'maxMs' | 'p999Ms'): Figure => ({
    name: `${name}: ${of === 'maxMs' ? 'largest gap' : 'gap, 99.9th percentile'}, ${NAMES[side]}`,
    unit: 'ms',
    spread: spreadOf(gaps[side].map((each) => each[of])),
  });
  return [
    { ...figure('process', 'maxMs'), goal: { atMost: GOAL_GAP_MS } },
    { ...figure('thread', 'maxMs'), goal: { atMost: GOAL_GAP_MS } },
    figure('process', 'p999Ms'),
    figure('thread', 'p999Ms'),
    figure('parse', 'maxMs'),
  ];
}

/** The gap that the probe and the machine show where nothing arrives. */
async function measureIdle({ servers, effort }: Bench): Promise<Figure> {
  const forMs = Math.min(effort.blockMs, IDLE_MS_MAX);
  const largest: number[] = [];
  for (let round = 0; round < effort.rounds; round += 1) {
    const idle = () => new Promise((resolve) => setTimeout(resolve, forMs));
    largest.push((await servers.process.gapsDuring(idle)).maxMs);
  }
  return { name: 'largest gap, nothing arriving', unit: 'ms', spread: spreadOf(largest) };
}

type Load = {
  readonly generator: LoadProcess;
  readonly effort: Effort;
  readonly request: Buffer;
  readonly inFlight: number;
};

async function block(
  port: number,
  { generator, effort, request, inFlight }: Load,
  warmupMs: number,
): Promise<LoadReport> {
  const report = await generator.run({
    host: '127.0.0.1',
    port,
    requestsBase64: [request.toString('base64')],
    arrivals: { kind: 'closed', concurrency: inFlight },
    connectionsMax: inFlight,
    durationMs: warmupMs + effort.blockMs,
    warmupMs,
    deadlineMs: DEADLINE_MS,
    seed: 1,
  });
  expectAllAnswered(report);
  return report;
}

function requestOf(side: Side, port: number, body: Buffer): Buffer {
  const isGateway = side === 'process' || side === 'thread';
  return postBytes({
    host: `127.0.0.1:${port}`,
    path: isGateway ? `/v2/models/${MODEL}/infer` : '/infer',
    headers: { 'content-type': 'application/json' },
    body,
  });
}

const NAMES: Readonly<Record<Side, string>> = {
  parse: 'JSON.parse',
  process: 'gateway (process tier)',
  thread: 'gateway (thread tier)',
  parseAgain: 'JSON.parse, the same again',
};

function resultOf(figures: readonly Figure[], effort: Effort): SuiteResult {
  const { rounds, blockMs, warmupMs } = effort;
  const [short, full] = formsOf();
  return {
    suite: jsonFloats.name,
    title: jsonFloats.title,
    conditions: {
      floats: FLOATS,
      fourDecimalsBytes: short?.body.byteLength ?? 0,
      fullDigitsBytes: full?.body.byteLength ?? 0,
      inFlightForLatency: 1,
      inFlightForGaps: IN_FLIGHT,
      rounds,
      blockMs,
      warmupMs,
    },
    figures,
  };
}
