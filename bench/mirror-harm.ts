import { join } from 'node:path';
import { programFolder } from '../src/config/program.ts';
import { imageTensorBytes, readImages } from '../src/demo/images.ts';
import { LoadProcess } from '../src/load/load-process.ts';
import type { LoadReport } from '../src/load/run-load.ts';
import { interleave, ratiosOf, spreadOf } from './blocks.ts';
import type { Effort, Figure, Suite, SuiteResult } from './figure.ts';
import { GatewayProcess } from './gateway-process.ts';
import { inferBody, inferPost } from './infer-request.ts';
import { expectAllAnswered } from './load-block.ts';
import { lanesWork, setMirror } from './mirror-control.ts';
import { findHighestRate } from './rate-search.ts';
import { Workplace } from './workplace.ts';

const MODEL = 'fashion';
const STABLE = '1';
const CANDIDATE = '2';
const IMAGES = 256;
const SHAPE = [1, 1, 28, 28];

/** What a patient caller of a small model still accepts, at the 99th percentile. */
const DEADLINE_MS = 25;
/** Of the highest rate that meets the deadline. */
const LOAD = 0.5;
const CONNECTIONS_MAX = 256;

/** What mirroring every live request costs those who wait for live answers. */
export const mirrorHarm: Suite = {
  name: 'mirror-harm',
  title: 'Live latency with every request mirrored, over the same without mirroring',
  effort: { rounds: 11, blockMs: 5_000, warmupMs: 1_000 },
  run: measureMirrorHarm,
};

type Kind = 'off' | 'on' | 'offAgain';
type Blocks = Readonly<Record<Kind, readonly LoadReport[]>>;

/** Sends images at moments drawn at random, whether or not answers have come. */
type Drive = (perSecond: number, seed: number, measuredMs: number) => Promise<LoadReport>;

async function measureMirrorHarm(
  effort: Effort,
  tell: (line: string) => void,
): Promise<SuiteResult> {
  const workplace = await Workplace.create();
  const generator = new LoadProcess();
  const gateway = await startGateway(workplace);
  try {
    const drive = await driveWithImages(generator, gateway.port, effort);
    const mirror = { model: MODEL, stable: STABLE, candidate: CANDIDATE };
    await setMirror(gateway, mirror, 0);
    await drive(50, 0, effort.warmupMs);
    const highest = await findHighestRate({
      measure: (perSecond, probe) => drive(perSecond, 1_000 + probe, effort.blockMs),
      meets: (report) => report.latency.p99Ms <= DEADLINE_MS && report.ok === report.sent,
      tell,
    });
    const perSecond = Math.floor(highest * LOAD);
    tell(`${Math.round(highest)} per second meets ${DEADLINE_MS} ms; loading with ${perSecond}`);
    const kinds = ['off', 'on', 'offAgain'] as const;
    const blocks = await interleave(kinds, effort.rounds, async (kind, round) => {
      await setMirror(gateway, mirror, kind === 'on' ? 100 : 0);
      // One seed a round: all kinds meet the same arrivals.
      const report = await drive(perSecond, round, effort.blockMs);
      expectAllAnswered(report);
      tell(`round ${round + 1} ${kind}: p99 ${report.latency.p99Ms.toFixed(2)} ms`);
      return report;
    });
    const work = await lanesWork(gateway, MODEL);
    return {
      suite: mirrorHarm.name,
      title: mirrorHarm.title,
      conditions: {
        deadlineMs: DEADLINE_MS,
        highestRatePerSecond: Math.round(highest),
        loadPerSecond: perSecond,
        rounds: effort.rounds,
        blockMs: effort.blockMs,
        mirroredAndRun: work.run,
        mirroredAndDropped: work.dropped,
      },
      figures: figuresOf(blocks),
    };
  } finally {
    generator.close();
    await gateway.stop();
    await workplace.remove();
  }
}

async function startGateway(workplace: Workplace): Promise<GatewayProcess> {
  const models = { [MODEL]: { route: { stable: STABLE } } };
  const config = await workplace.writeConfig(models, join(programFolder, 'models'));
  return GatewayProcess.start(config);
}

async function driveWithImages(
  generator: LoadProcess,
  port: number,
  effort: Effort,
): Promise<Drive> {
  const images = await readImages(join(programFolder, 'models', '_fashion-mnist'));
  const requestsBase64 = images.slice(0, IMAGES).map((image) => {
    const body = inferBody({ name: 'image', shape: SHAPE, data: imageTensorBytes(image) });
    return inferPost(port, MODEL, body).toString('base64');
  });
  return (perSecond, seed, measuredMs) =>
    generator.run({
      host: '127.0.0.1',
      port,
      requestsBase64,
      arrivals: { kind: 'poisson', perSecond },
      connectionsMax: CONNECTIONS_MAX,
      durationMs: effort.warmupMs + measuredMs,
      warmupMs: effort.warmupMs,
      deadlineMs: DEADLINE_MS,
      seed,
    });
}

function figuresOf(blocks: Blocks): readonly Figure[] {
  const latencies = (kind: Kind, of: 'p50Ms' | 'p99Ms') =>
    blocks[kind].map(({ latency }) => latency[of]);
  const ratio = (kind: Kind, of: 'p50Ms' | 'p99Ms') =>
    spreadOf(ratiosOf(latencies(kind, of), latencies('off', of)));
  return [
    {
      name: 'live p99, mirroring on / off',
      unit: 'ratio',
      spread: ratio('on', 'p99Ms'),
      goal: { atMost: 1.1 },
    },
    { name: 'live p99, off / off', unit: 'ratio', spread: ratio('offAgain', 'p99Ms') },
    { name: 'live p50, mirroring on / off', unit: 'ratio', spread: ratio('on', 'p50Ms') },
    { name: 'live p50, off / off', unit: 'ratio', spread: ratio('offAgain', 'p50Ms') },
    { name: 'live p99, mirroring off', unit: 'ms', spread: spreadOf(latencies('off', 'p99Ms')) },
    { name: 'live p99, mirroring on', unit: 'ms', spread: spreadOf(latencies('on', 'p99Ms')) },
    {
      name: 'generator late by, p99, mirroring off',
      unit: 'ms',
      spread: spreadOf(blocks.off.map(({ lag }) => lag.p99Ms)),
    },
    {
      name: 'generator late by, p99, mirroring on',
      unit: 'ms',
      spread: spreadOf(blocks.on.map(({ lag }) => lag.p99Ms)),
    },
  ];
}
