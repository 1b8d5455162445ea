/** One variant on trial in a gateway of its own, under live requests. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { buildSlowed } from '../../src/demo/builds.ts';
import { IMAGE_SIDE, meanOf, readImages } from '../../src/demo/images.ts';
import { TrafficProcess } from '../../src/demo/traffic-process.ts';
import type { Plan } from '../../src/rollout/plan/plan.ts';
import type { RolloutStatus } from '../../src/rollout/status.ts';
import { type Place, RunningGateway } from '../e2e/a-gateway.ts';
import { projectRoot } from '../support/project-root.ts';
import { withLoop } from './broken-builds.ts';
import type { Finding } from './finding.ts';
import type { Original, Variant } from './variants.ts';

export type ExamOptions = {
  readonly original: Original;
  readonly perSecond: number;
  /** A trial that has not ended by then is inconclusive. */
  readonly trialMsMax: number;
};

type Teardown = { readonly teardown: (work: () => unknown) => void };

const IMAGES = join(projectRoot, 'models', '_fashion-mnist');
const STABLE = join(projectRoot, 'models', 'fashion', '1');
const SEED = 14;
const LOOK_MS = 250;

/** To measure how long one takes. */
const RUNS = 200;

/** Of a request: what hangs is late by then, and what a busy machine holds up is not. */
const DEADLINE_MS = 2_000;
const LOAD_MS_MAX = 60_000;

/** A run that hangs ends its process after this, once per hang: the default is a minute. */
const RUN_MAX = '10s';

/** In a hurry: margins (but for a variant's own) and budget are the defaults, the times are not, since a trial here lasts for a minute and not for a day. */
const BLOCKS = { pairedLatency: { block: '1s' } };
const REQUEST = {
  intent: 'equivalent',
  minDuration: '5s',
  unit: { window: '10s' },
};

export function testImages(): ReturnType<typeof readImages> {
  return readImages(IMAGES);
}

/** The shipped model, its images, and how fast this machine runs it. */
export async function readOriginal(): Promise<Original> {
  const bytes = await readFile(join(STABLE, 'model.onnx'));
  const means = (await testImages()).map(meanOf).sort((a, b) => b - a);
  const copies = 40;
  const [alone, slowed] = [await runMs(bytes), await runMs(buildSlowed(bytes, { copies }))];
  const copyMs = (slowed - alone) / copies;
  const rounds = 300;
  const looped = await runMs(withLoop(bytes, { above: 0, rounds }));
  const roundMs = (looped - alone) / rounds;
  return {
    bytes,
    meanAbove: (share) => means[Math.floor(means.length * share)] ?? 1,
    copiesFor: (ms) => Math.max(1, Math.round(ms / copyMs)),
    roundsFor: (ms) => Math.max(1, Math.round(ms / roundMs)),
  };
}

/** The trial of a variant, from its start to its end, and what it took. */
export async function examine(
  t: Teardown,
  variant: Variant,
  { original, perSecond, trialMsMax }: ExamOptions,
): Promise<Finding> {
  const place = await aPlaceFor(t, variant, original);
  const gateway = await RunningGateway.start(t, place);
  const traffic = new TrafficProcess({
    port: gateway.httpPort,
    model: 'fashion',
    imagesFolder: IMAGES,
    perSecond,
    durationMs: LOAD_MS_MAX + 2 * trialMsMax,
    deadlineMs: DEADLINE_MS,
    seed: SEED,
    labelDelayMs: undefined,
  });
  t.teardown(() => traffic.stop().catch(() => undefined));
  await traffic.started();
  const plan = await start(gateway, variant, perSecond);
  const { status, requests } = await watch(gateway, trialMsMax);
  const { report } = await traffic.stop();
  return {
    variant,
    phase: status.phase,
    decidedBy: status.decidedBy,
    why: status.why,
    pairs: status.mirror.compared,
    requests,
    plannedRequests: plan.requests,
    canaryRequests: status.candidateRequests,
    seconds: status.durationMs / 1_000,
    liveRequests: report.measured.offered,
    liveFailures: report.measured.offered - report.measured.ok,
  };
}

async function aPlaceFor(t: Teardown, variant: Variant, original: Original): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'understudy-judgement-'));
  t.teardown(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
  const builds = { '1': original.bytes, [variant.name]: variant.build(original) };
  for (const [version, bytes] of Object.entries(builds)) {
    const folder = join(root, 'models', 'fashion', version);
    await mkdir(folder, { recursive: true });
    for (const file of ['labels.txt', 'model.yaml'])
      await cp(join(STABLE, file), join(folder, file));
    await writeFile(join(folder, 'model.onnx'), bytes);
  }
  const config = join(root, 'understudy.yaml');
  await writeFile(
    config,
    `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0 }
repository: ./models
ledger: ./ledger
models: { fashion: { queue: { deadlineMs: ${DEADLINE_MS} }, execution: { runMax: ${RUN_MAX} }, route: { stable: "1" } } }
`,
  );
  return { root, config, ledger: join(root, 'ledger') };
}

async function start(
  gateway: RunningGateway,
  { name, margins }: Variant,
  perSecond: number,
): Promise<Plan> {
  const answer = await fetch(
    `${gateway.adminUrl}/api/v1/models/fashion/rollout?requestsPerSecond=${perSecond}`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ candidate: name, margins: { ...BLOCKS, ...margins }, ...REQUEST }),
    },
  );
  if (!answer.ok) throw new Error(`the rollout of ${name}: ${await answer.text()}`);
  return ((await answer.json()) as { readonly plan: Plan }).plan;
}

/** Until the trial has ended, pauses, or has taken too long. `requests` are the live ones since it began. */
async function watch(
  gateway: RunningGateway,
  trialMsMax: number,
): Promise<{ readonly status: RolloutStatus; readonly requests: number }> {
  const loadedBy = performance.now() + LOAD_MS_MAX;
  let status = await gateway.status();
  for (
    ;
    status.phase === 'loading' && performance.now() < loadedBy;
    status = await gateway.status()
  )
    await pause(LOOK_MS);
  const before = await liveRequests(gateway);
  const endedBy = performance.now() + trialMsMax;
  for (
    ;
    status.phase === 'progressing' && performance.now() < endedBy;
    status = await gateway.status()
  )
    await pause(LOOK_MS);
  return { status, requests: (await liveRequests(gateway)) - before };
}

/** That the gateway has answered since it started. */
async function liveRequests({ adminUrl }: RunningGateway): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const samples = text.matchAll(/^understudy_requests_total\{.*\} (\d+)$/gm);
  return [...samples].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** The median of a run of one image alone, on one thread; milliseconds. */
async function runMs(bytes: Uint8Array): Promise<number> {
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1 };
  const session = await InferenceSession.create(bytes, options);
  const values = new Float32Array(IMAGE_SIDE * IMAGE_SIDE).fill(0.5);
  const image = new Tensor('float32', values, [1, 1, IMAGE_SIDE, IMAGE_SIDE]);
  const took: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const sinceMs = performance.now();
    await session.run({ image });
    took.push(performance.now() - sinceMs);
  }
  await session.release();
  return took.sort((a, b) => a - b)[RUNS / 2] ?? 0;
}
