import { join } from 'node:path';
import { programFolder } from '../src/config/program.ts';
import { imageTensorBytes, readImages } from '../src/demo/images.ts';
import { poisson } from '../src/load/nouns/arrivals.ts';
import type { LoadReport } from '../src/load/nouns/load-report.ts';
import { inferAim } from './aim.ts';
import { interleave, type Rounds, ratioSpread, spreadOf } from './blocks.ts';
import type { Effort } from './effort.ts';
import type { Figure, Measurement, Suite } from './figure.ts';
import { expectAllAnswered } from './loader.ts';
import { setMirror, shadowWork } from './mirror-control.ts';
import { findHighestRate } from './rate-search.ts';
import type { Workplace } from './workplace.ts';

const MODEL = 'fashion';
const STABLE = '1';
const CANDIDATE = '2';
const IMAGES = 256;
const SHAPE = [1, 1, 28, 28];

/** What a patient caller of a small model still accepts, at the 99th percentile. */
const DEADLINE_MS = 25;
/** Of the highest rate that meets the deadline. */
const LOAD = 0.5;
const IN_FLIGHT_MAX = 256;

/** What mirroring every live request costs those who wait for live answers. */
export const mirrorHarm: Suite = {
  name: 'mirror-harm',
  title: 'Live latency with every request mirrored, as a ratio to the same without mirroring',
  effort: { rounds: 11, blockMs: 5_000, warmupMs: 1_000 },
  run: measureMirrorHarm,
};

const KINDS = ['off', 'on', 'offAgain'] as const;
type Blocks = Rounds<(typeof KINDS)[number], LoadReport>;

/** Sends images at moments drawn at random, whether or not answers have come. */
type Drive = (perSecond: number, seed: number, measuredMs: number) => Promise<LoadReport>;

async function measureMirrorHarm(workplace: Workplace, effort: Effort): Promise<Measurement> {
  const { print } = workplace;
  const gateway = await workplace.startGateway({
    models: { [MODEL]: { route: { stable: STABLE } } },
    repository: join(programFolder, 'models'),
  });
  const drive = await driveWithImages(workplace, gateway.port, effort);
  const mirror = { model: MODEL, stable: STABLE, candidate: CANDIDATE };
  await setMirror(gateway, mirror, 0);
  await drive(50, 0, effort.warmupMs);
  const highest = await findHighestRate({
    measure: (perSecond, probe) => drive(perSecond, 1_000 + probe, effort.blockMs),
    meets: ({ measured }) =>
      measured.latency.p99Ms <= DEADLINE_MS && measured.ok === measured.offered,
    print,
  });
  const perSecond = Math.floor(highest * LOAD);
  print(`${Math.round(highest)} per second meets ${DEADLINE_MS} ms; loading with ${perSecond}`);
  const blocks = await interleave(KINDS, effort.rounds, async (kind, round) => {
    await setMirror(gateway, mirror, kind === 'on' ? 100 : 0);
    // One seed a round: all kinds meet the same arrivals.
    const report = await drive(perSecond, round, effort.blockMs);
    expectAllAnswered(report);
    print(`round ${round + 1} ${kind}: p99 ${report.measured.latency.p99Ms.toFixed(2)} ms`);
    return report;
  });
  const work = await shadowWork(gateway, MODEL);
  const conditions = {
    deadlineMs: DEADLINE_MS,
    highestRatePerSecond: Math.round(highest),
    loadPerSecond: perSecond,
    mirroredAndRun: work.run,
    mirroredAndDropped: work.dropped,
  };
  return { conditions, figures: figuresOf(blocks) };
}

async function driveWithImages(
  { loader }: Workplace,
  port: number,
  { warmupMs }: Effort,
): Promise<Drive> {
  const images = await readImages(join(programFolder, 'models', '_fashion-mnist'));
  const tensors = images.slice(0, IMAGES).map((image) => ({
    name: 'image',
    dtype: 'FP32' as const,
    shape: SHAPE,
    data: imageTensorBytes(image),
  }));
  const aim = inferAim({ port, protocol: 'rest-binary', model: MODEL }, tensors);
  const inFlightMax = IN_FLIGHT_MAX;
  return (perSecond, seed, measuredMs) =>
    loader.load({ aim, arrivals: poisson(perSecond), inFlightMax, warmupMs, measuredMs, seed });
}

function figuresOf(blocks: Blocks): readonly Figure[] {
  const latencies = (kind: keyof Blocks, of: 'p50Ms' | 'p99Ms') =>
    blocks[kind].map(({ measured }) => measured.latency[of]);
  const ratio = (of: 'p50Ms' | 'p99Ms') => ({
    unit: 'ratio' as const,
    spread: ratioSpread(latencies('on', of), latencies('off', of)),
    aaControl: ratioSpread(latencies('offAgain', of), latencies('off', of)),
  });
  const lag = (kind: keyof Blocks): Figure => ({
    name: `generator late by, p99, mirroring ${kind}`,
    unit: 'ms',
    spread: spreadOf(blocks[kind].map(({ measured }) => measured.lag.p99Ms)),
  });
  return [
    { name: 'live p99, mirroring on / off', ...ratio('p99Ms'), goal: { atMost: 1.1 } },
    { name: 'live p50, mirroring on / off', ...ratio('p50Ms') },
    { name: 'live p99, mirroring off', unit: 'ms', spread: spreadOf(latencies('off', 'p99Ms')) },
    { name: 'live p99, mirroring on', unit: 'ms', spread: spreadOf(latencies('on', 'p99Ms')) },
    lag('off'),
    lag('on'),
  ];
}
