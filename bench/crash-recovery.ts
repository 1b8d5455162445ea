import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../src/core/clock.ts';
import { poisson } from '../src/load/nouns/arrivals.ts';
import type { LoadReport } from '../src/load/nouns/load-report.ts';
import { type Aim, inferAim, oneRow } from './aim.ts';
import { spreadOf } from './blocks.ts';
import type { Effort } from './effort.ts';
import type { Curve, Figure, Measurement, Suite } from './figure.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { LoadClock } from './load-clock.ts';
import type { Loader } from './loader.ts';
import { INPUT, stackedModel } from './models.ts';
import { Probe, type Probed } from './probe.ts';
import type { Workplace } from './workplace.ts';

const COLUMNS = 256;
const LAYERS = 64;
/** The model whose process is killed, and another one of the same kind. */
const MODEL = 'crashing';
const OTHER = 'other';
/** Far below what either can do: what fails does so for the crash. */
const PER_SECOND = 200;
const IN_FLIGHT_MAX = 1_024;
const DEADLINE_MS = 1_000;
/** After the kill, to see the first answer. */
const PROBE_EVERY_MS = 5;
/** The latency is steady again where p99 of an interval, and of all later ones, is at most so many times that before. */
const STEADY_RATIO = 2;
/** Below this a p99 of a tenth of a second is noise. */
const STEADY_MS = 10;

/** What a crash in native code costs the clients of the model, and those of another model. */
export const crashRecovery: Suite = {
  name: 'crash-recovery',
  title:
    "SIGSEGV kills a model's process under load: failed requests, time to the first answer and to full recovery, and the effect on another model",
  effort: { rounds: 9, blockMs: 6_000, warmupMs: 1_000 },
  run: measureCrashes,
};

/** What one crash did. */
type Crash = {
  readonly report: LoadReport;
  readonly other: LoadReport;
  readonly firstAnswerMs: number;
  readonly steadyMs: number;
  readonly killedMs: number;
};

async function measureCrashes(workplace: Workplace, effort: Effort): Promise<Measurement> {
  for (const model of [MODEL, OTHER])
    await workplace.addModel(model, stackedModel(COLUMNS, LAYERS));
  const gateway = await workplace.startGateway({
    models: {},
    server: { modelControl: 'explicit' },
  });
  const aimOf = (model: string): Aim => {
    const asked = { port: gateway.port, protocol: 'rest-binary', model } as const;
    return inferAim(asked, [oneRow(INPUT, COLUMNS)]);
  };
  const bystander = workplace.addLoader();
  const setup = {
    workplace,
    gateway,
    bystander,
    aim: aimOf(MODEL),
    otherAim: aimOf(OTHER),
    effort,
  };
  const crashes: Crash[] = [];
  for (let round = 0; round < effort.rounds; round += 1) {
    const crash = await crashOnce(setup, round);
    crashes.push(crash);
    const { firstAnswerMs, steadyMs } = crash;
    workplace.print(
      `round ${round + 1}: ${failed(crash.report)} failed, answers after ${firstAnswerMs.toFixed(0)} ms, steady after ${steadyMs.toFixed(0)} ms`,
    );
  }
  await expectCrashes(gateway, effort.rounds);
  const conditions = { perSecondOfEachModel: PER_SECOND, deadlineMs: DEADLINE_MS };
  return { conditions, figures: figuresOf(crashes), curves: timeLine(crashes) };
}

type Setup = {
  readonly workplace: Workplace;
  readonly gateway: GatewayProcess;
  readonly bystander: Loader;
  readonly aim: Aim;
  readonly otherAim: Aim;
  readonly effort: Effort;
};

async function crashOnce(setup: Setup, seed: number): Promise<Crash> {
  const { workplace, gateway, bystander, aim, otherAim, effort } = setup;
  const pid = await freshProcess(gateway);
  const load = {
    arrivals: poisson(PER_SECOND),
    inFlightMax: IN_FLIGHT_MAX,
    deadlineMs: DEADLINE_MS,
    warmupMs: effort.warmupMs,
    measuredMs: effort.blockMs,
    seed,
  };
  const clock = new LoadClock();
  const loads = Promise.all([
    workplace.loader.load({ ...load, aim }, clock.note),
    bystander.load({ ...load, aim: otherAim, seed: seed + 1_000 }),
  ]);
  loads.catch(() => undefined);
  // A third of the measured time shows what was before, the rest what comes after.
  await sleep(effort.warmupMs + effort.blockMs / 3);
  process.kill(pid, 'SIGSEGV');
  const killedMs = systemClock.monotonicMs();
  const probe = new Probe(aim, PROBE_EVERY_MS);
  const [report, other] = await loads;
  const probed = await probe.stop();
  if (!gateway.isRunning) throw new Error('the gateway ended with the process of a model');
  const killedInLoadMs = clock.inLoadMs(killedMs);
  return {
    report,
    other,
    killedMs: killedInLoadMs,
    firstAnswerMs: firstAnswer(probed) - killedMs,
    steadyMs: steadyAgainMs(report, killedInLoadMs),
  };
}

/** Reloads the model, so that its process is the one that was not there before. Crashes do not add up to a loop, either. */
async function freshProcess(gateway: GatewayProcess): Promise<number> {
  await gateway.control(MODEL, 'unload');
  const before = new Set(await gateway.childPids());
  await gateway.control(MODEL, 'load');
  const fresh = (await gateway.childPids()).filter((each) => !before.has(each));
  const serving = await Promise.all(fresh.map(async (pid) => ((await isReader(pid)) ? [] : pid)));
  const [pid, ...more] = serving.flat();
  if (pid === undefined || more.length > 0) {
    throw new Error(`expected one new process for ${MODEL}, found ${serving.flat().length}`);
  }
  return pid;
}

/** It reads the files of models, serves none, and ends by itself when it has nothing to read. */
async function isReader(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => 'reader-main, ended');
  return command.includes('reader-main');
}

/** Sent after the kill, and answered with success. */
function firstAnswer(probed: readonly Probed[]): number {
  const answered = probed.filter(({ error }) => error === undefined);
  if (answered.length === 0) throw new Error('no request was answered after the crash');
  return Math.min(...answered.map(({ answeredMs }) => answeredMs));
}

/** From the kill to the end of the last interval that is not as those before the kill were; 0 where all are. */
function steadyAgainMs({ timeline }: LoadReport, killedMs: number): number {
  const measured = timeline.filter(({ warmup }) => !warmup);
  const before = measured.filter(({ fromMs, forMs }) => fromMs + forMs <= killedMs);
  const usualMs = spreadOf(before.map(({ latency }) => latency.p99Ms)).median;
  const limitMs = Math.max(STEADY_MS, STEADY_RATIO * usualMs);
  const unsteady = measured.filter(
    ({ fromMs, forMs, latency, ok, offered }) =>
      fromMs + forMs > killedMs && (latency.p99Ms > limitMs || ok < offered),
  );
  const last = unsteady.at(-1);
  return last === undefined ? 0 : last.fromMs + last.forMs - killedMs;
}

/** The gateway has to have seen what we did, and nothing else. */
async function expectCrashes(gateway: GatewayProcess, rounds: number): Promise<void> {
  const metrics = String(await gateway.admin('GET', '/metrics'));
  const crashed = (model: string): number =>
    metrics
      .split('\n')
      .filter((line) => line.startsWith('understudy_host_crashes_total{'))
      .filter((line) => line.includes(`model="${model}"`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  const found = { [MODEL]: crashed(MODEL), [OTHER]: crashed(OTHER) };
  if (found[MODEL] === rounds && found[OTHER] === 0) return;
  throw new Error(`expected ${rounds} crashes of ${MODEL} only, found ${JSON.stringify(found)}`);
}

function failed({ measured }: LoadReport): number {
  return measured.offered - measured.ok;
}

function figuresOf(crashes: readonly Crash[]): readonly Figure[] {
  const figure = (name: string, unit: Figure['unit'], of: (crash: Crash) => number): Figure => ({
    name,
    unit,
    spread: spreadOf(crashes.map(of)),
  });
  return [
    {
      ...figure('failed requests of the other model', 'requests', ({ other }) => failed(other)),
      goal: { atMost: 0 },
    },
    figure('failed requests', 'requests', ({ report }) => failed(report)),
    figure(
      'failed requests, of all that were sent',
      'percent',
      ({ report }) => (100 * failed(report)) / report.measured.offered,
    ),
    {
      ...figure('to the first answer', 'ms', ({ firstAnswerMs }) => firstAnswerMs),
      goal: { atMost: 1_000 },
    },
    figure('to full recovery', 'ms', ({ steadyMs }) => steadyMs),
    figure('p99, other model', 'ms', ({ other }) => other.measured.latency.p99Ms),
    figure('largest latency, other model', 'ms', ({ other }) => other.measured.latency.maxMs),
  ];
}

/** The last crash. */
function timeLine(crashes: readonly Crash[]): readonly Curve[] {
  const crash = crashes.at(-1);
  if (crash === undefined) return [];
  const line = ({ timeline }: LoadReport) =>
    timeline.map((each): [number, number] => [each.fromMs / 1000, each.okPerSecond]);
  return [
    {
      name: 'time-line',
      plot: {
        title: "Answers per second around the crash of a model's process",
        description: 'By the moment that the requests were due, in the last round.',
        x: { label: 'time (s)', scale: 'linear', from: 0, unit: ' s' },
        y: { label: 'answers with success, per second', scale: 'linear', from: 0 },
        series: [
          { name: 'other model', tone: 'quiet', look: 'dashed', points: line(crash.other) },
          { name: 'model that crashes', tone: 'one', points: line(crash.report) },
        ],
        marks: [{ axis: 'x', at: crash.killedMs / 1000, name: 'SIGSEGV' }],
      },
    },
  ];
}
