import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import type { MirrorCounts } from '../core/evidence.ts';
import type { Phase } from '../core/rollout.ts';
import type { MetricStatus } from '../core/verdict.ts';
import type { LatencySummary } from '../load/nouns/load-report.ts';
import { TrafficProcess } from './traffic-process.ts';
import { TRIALS, type Trial } from './trials.ts';
import { DEMO_MODEL, type Workplace } from './workplace.ts';

/** What the demo reads of a rollout's status. */
export type TrialStatus = {
  readonly id: string;
  readonly phase: Phase['kind'];
  readonly step:
    | { readonly number: number; readonly of: number; readonly task: string }
    | undefined;
  readonly setWeightBp: number;
  readonly why: string;
  readonly decidedBy: readonly string[];
  readonly metrics: readonly (MetricStatus & { readonly label: string })[];
  readonly mirror: MirrorCounts;
  readonly labels: { readonly joined: number };
  readonly candidateRequests: number;
  readonly endedMs: number | undefined;
  readonly headHash: string;
};

/** The gateway under demonstration. */
export type DemoGateway<Status extends TrialStatus> = {
  readonly httpPort: number;
  readonly startRollout: (request: object) => Promise<void>;
  readonly status: () => Promise<Status>;
  readonly abort: (reason: string) => Promise<void>;
  /** Deaths of the candidate's processes so far, by the signal or code that they died of. */
  readonly crashes: () => readonly string[];
};

export type DemoOptions<Status extends TrialStatus> = {
  readonly workplace: Workplace;
  readonly gateway: DemoGateway<Status>;
  readonly clock: Clock;
  readonly perSecond: number;
  readonly onTrial: (trial: Trial) => void;
  /** Called several times a second while a trial runs. */
  readonly onStatus: (trial: Trial, status: Status) => void;
};

/** What became of one trial. */
export type TrialResult = {
  readonly candidate: string;
  readonly title: string;
  readonly expected: Trial['expected'];
  readonly verdict: Phase['kind'];
  /** How far it came: `shadow` or `canary`. */
  readonly reached: 'shadow' | 'canary';
  readonly decidedBy: readonly string[];
  readonly why: string;
  readonly liveRequests: number;
  readonly liveFailures: number;
  readonly pairs: number;
  readonly labels: number;
  readonly candidateRequests: number;
  readonly crashes: readonly string[];
  readonly seconds: number;
  readonly head: string;
  /** Live latency by what the gateway did meanwhile. */
  readonly latency: Readonly<Record<string, LatencySummary>>;
};

/** A trial of the demo that has not ended by then never will: twenty times what it takes, for machines that are slow or busy. */
const TRIAL_MS_MAX = 600_000;

/** Before the trial begins: the load of the candidate and its twin, as long as it may take by default. */
const LOAD_MS_MAX = 240_000;

/** Live traffic without any mirroring, before each trial: what the mirror's cost is measured against. */
const QUIET_MS = 1_500;

/** First requests open connections and warm the code up; they are no measure of anything. */
const WARM_UP_MS = 500;
const LOOK_MS = 200;
/** Of a live request; no request waits this long, except on a machine that is slow or busy. */
const DEADLINE_MS = 5_000;
const LABEL_DELAY_MS = 250;

/** The order of images of each trial; fixed, so that every run of the demo meets the same images in the same order. */
const SEED = 20_260;

/** Runs the four trials one after another under live traffic. */
export async function runDemo<Status extends TrialStatus>(
  options: DemoOptions<Status>,
): Promise<readonly TrialResult[]> {
  const results: TrialResult[] = [];
  for (const trial of TRIALS) results.push(await runTrial(trial, options));
  return results;
}

async function runTrial<Status extends TrialStatus>(
  trial: Trial,
  options: DemoOptions<Status>,
): Promise<TrialResult> {
  const { gateway, workplace, clock, perSecond, onTrial } = options;
  onTrial(trial);
  const startedMs = clock.monotonicMs();
  const crashesBefore = gateway.crashes().length;
  const traffic = new TrafficProcess({
    port: gateway.httpPort,
    model: DEMO_MODEL,
    imagesFolder: workplace.imagesFolder,
    perSecond,
    durationMs: WARM_UP_MS + QUIET_MS + LOAD_MS_MAX + TRIAL_MS_MAX,
    deadlineMs: DEADLINE_MS,
    seed: SEED,
    labelDelayMs: LABEL_DELAY_MS,
  });
  await traffic.started();
  await sleep(WARM_UP_MS);
  traffic.mark('off');
  await sleep(QUIET_MS);
  await gateway.startRollout({ candidate: trial.candidate, ...trial.claim });
  const { status, reached } = await watch(trial, traffic, options);
  const { report, phases } = await traffic.stop();
  return {
    candidate: trial.candidate,
    title: trial.title,
    expected: trial.expected,
    verdict: status.phase,
    reached,
    decidedBy: status.decidedBy,
    why: status.why,
    liveRequests: report.measured.offered,
    liveFailures: report.measured.offered - report.measured.ok,
    pairs: status.mirror.compared,
    labels: status.labels.joined,
    candidateRequests: status.candidateRequests,
    crashes: gateway.crashes().slice(crashesBefore),
    seconds: Math.round((clock.monotonicMs() - startedMs) / 100) / 10,
    head: status.headHash,
    latency: phases,
  };
}

/** Looks at a trial until it has ended; one that does not end is aborted, and its verdict says so. */
async function watch<Status extends TrialStatus>(
  trial: Trial,
  traffic: TrafficProcess,
  { gateway, clock, onStatus }: DemoOptions<Status>,
): Promise<{ status: Status; reached: 'shadow' | 'canary' }> {
  let untilMs = clock.monotonicMs() + TRIAL_MS_MAX;
  let reached: 'shadow' | 'canary' = 'shadow';
  let status = await gateway.status();
  for (; status.phase === 'loading'; status = await gateway.status()) {
    onStatus(trial, status);
    await sleep(LOOK_MS);
    untilMs = clock.monotonicMs() + TRIAL_MS_MAX;
  }
  traffic.mark('shadow');
  while (status.endedMs === undefined) {
    if (clock.monotonicMs() > untilMs) {
      const why = status.why;
      await gateway.abort(`the demo's time for one trial is over while it ${why}`);
    }
    await sleep(LOOK_MS);
    status = await gateway.status();
    if (status.setWeightBp > 0 && status.endedMs === undefined && reached === 'shadow') {
      reached = 'canary';
      traffic.mark('canary');
    }
    onStatus(trial, status);
  }
  return { status, reached };
}
