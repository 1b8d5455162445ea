import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../src/core/random.ts';
import type { LoadReport } from '../src/load/nouns/load-report.ts';
import { postBytes } from '../src/load/wire/http-connection.ts';
import { type Aim, here } from './aim.ts';
import { interleave, ratioSpread, spreadOf } from './blocks.ts';
import type { Effort } from './effort.ts';
import type { Figure, Measurement, Suite } from './figure.ts';
import { expectAllAnswered } from './loader.ts';
import { firstValueModel, INPUT } from './models.ts';
import { WatchedProcess } from './watched-process.ts';
import type { Workplace } from './workplace.ts';

const MODEL = 'large';
/** An image of 3 x 224 x 224. */
export const FLOATS = 150_528;
/** For the gaps: enough that one body arrives while others are read. */
const IN_FLIGHT = 4;
const IDLE_MS_MAX = 1_000;

/** What reading floats from JSON costs those who wait for it, and those who wait for something else meanwhile. */
export const jsonFloats: Suite = {
  name: 'json-floats',
  title:
    'An image as JSON to a trivial model, compared with a bare fastify route with JSON.parse and Float32Array.from: latency, and gaps of the event loop',
  effort: { rounds: 7, blockMs: 1_500, warmupMs: 500 },
  run: measureJsonFloats,
};

type Side = 'parse' | 'process' | 'thread' | 'parseAgain';
const SIDES = ['parse', 'process', 'thread', 'parseAgain'] as const;
const GOAL_RATIO = 1;
const GOAL_GAP_MS = 5;

type Setup = {
  readonly servers: Readonly<Record<Side, WatchedProcess>>;
  readonly workplace: Workplace;
  readonly effort: Effort;
};

async function measureJsonFloats(workplace: Workplace, effort: Effort): Promise<Measurement> {
  await workplace.addModel(MODEL, firstValueModel(FLOATS));
  const startGateway = async (isolation: 'process' | 'thread'): Promise<WatchedProcess> => {
    const config = await workplace.writeConfig({
      models: { [MODEL]: { execution: { isolation } } },
    });
    return workplace.closing(await WatchedProcess.startGateway(config));
  };
  const parse = workplace.closing(await WatchedProcess.startJsonServer());
  const servers = {
    parse,
    process: await startGateway('process'),
    thread: await startGateway('thread'),
    parseAgain: parse,
  };
  const setup = { servers, workplace, effort };
  const forms = imageForms();
  const figures: Figure[] = [];
  for (const form of forms) {
    figures.push(...(await measureLatency(form, setup)), ...(await measureGaps(form, setup)));
  }
  figures.push(await measureIdle(setup));
  const [short, full] = forms;
  const conditions = {
    floats: FLOATS,
    fourDecimalsBytes: short.body.byteLength,
    fullDigitsBytes: full.body.byteLength,
    inFlightForLatency: 1,
    inFlightForGaps: IN_FLIGHT,
  };
  return { conditions, figures };
}

/** One image, written in one way. */
export type ImageForm = { readonly name: string; readonly body: Buffer };

/** Floats with 4 decimals, as in hand-written or rounded data, and FP32 values printed as doubles with all digits. */
export function imageForms(): readonly [short: ImageForm, full: ImageForm] {
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

/** A JSON body for the model of this name, or for the bare route where none is named. */
export function jsonAim(port: number, body: Buffer, model?: string): Aim {
  const request = postBytes({
    host: `127.0.0.1:${port}`,
    path: model === undefined ? '/infer' : `/v2/models/${model}/infer`,
    headers: { 'content-type': 'application/json' },
    body,
  });
  return { wire: { kind: 'http', address: here(port) }, requests: [request] };
}

/** One request at a time. */
async function measureLatency(
  { name, body }: ImageForm,
  { servers, workplace, effort }: Setup,
): Promise<readonly Figure[]> {
  const medians = await interleave(SIDES, effort.rounds, async (side, round) => {
    const aim = aimFor(side, servers[side].port, body);
    const { measured } = await block(workplace, { aim, inFlight: 1, ...effort });
    const medianMs = measured.service.p50Ms;
    workplace.print(`${name}, round ${round + 1} ${side}: median ${medianMs.toFixed(2)} ms`);
    return medianMs;
  });
  const ratio = (side: Side): Figure => ({
    name: `${name}: median latency, ${NAMES[side]} / ${NAMES.parse}`,
    unit: 'ratio',
    spread: ratioSpread(medians[side], medians.parse),
    aaControl: ratioSpread(medians.parseAgain, medians.parse),
    goal: { atMost: GOAL_RATIO },
  });
  return [
    ratio('process'),
    ratio('thread'),
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
  { name, body }: ImageForm,
  { servers, workplace, effort }: Setup,
): Promise<readonly Figure[]> {
  const sides = ['parse', 'process', 'thread'] as const;
  const gaps = await interleave(sides, effort.rounds, async (side, round) => {
    const server = servers[side];
    const load = { aim: aimFor(side, server.port, body), inFlight: IN_FLIGHT, warmupMs: 0 };
    await block(workplace, { ...load, blockMs: effort.warmupMs });
    const found = await server.gapsDuring(() =>
      block(workplace, { ...load, blockMs: effort.blockMs }),
    );
    workplace.print(
      `${name}, round ${round + 1} ${side}: largest gap ${found.maxMs.toFixed(2)} ms`,
    );
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
async function measureIdle({ servers, effort }: Setup): Promise<Figure> {
  const forMs = Math.min(effort.blockMs, IDLE_MS_MAX);
  const largest: number[] = [];
  for (let round = 0; round < effort.rounds; round += 1) {
    largest.push((await servers.process.gapsDuring(() => sleep(forMs))).maxMs);
  }
  return { name: 'largest gap, nothing arriving', unit: 'ms', spread: spreadOf(largest) };
}

type Block = {
  readonly aim: Aim;
  readonly inFlight: number;
  readonly warmupMs: number;
  readonly blockMs: number;
};

async function block(
  { loader }: Workplace,
  { aim, inFlight, warmupMs, blockMs }: Block,
): Promise<LoadReport> {
  const report = await loader.load({
    aim,
    arrivals: { kind: 'closed', concurrency: inFlight },
    inFlightMax: inFlight,
    warmupMs,
    measuredMs: blockMs,
  });
  expectAllAnswered(report);
  return report;
}

function aimFor(side: Side, port: number, body: Buffer): Aim {
  return jsonAim(port, body, side === 'process' || side === 'thread' ? MODEL : undefined);
}

const NAMES: Readonly<Record<Side, string>> = {
  parse: 'JSON.parse',
  process: 'gateway (process tier)',
  thread: 'gateway (thread tier)',
  parseAgain: 'JSON.parse, A/A control',
};
