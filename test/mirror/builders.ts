import { HandClock } from '../../src/core/clock.ts';
import { ServeError, type ServeErrorCode } from '../../src/core/errors.ts';
import type { InferRequest } from '../../src/core/infer.ts';
import type { Lapse, MirrorEvent, RolloutReport } from '../../src/core/messages.ts';
import type { Outcome, Pair } from '../../src/core/outcome.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Assignment, MirrorSetting } from '../../src/core/route.ts';
import { StuckRunError } from '../../src/core/stuck-run.ts';
import { createMirror, type Mirror, type MirrorLimits } from '../../src/mirror/mirror.ts';
import type { ShadowHost } from '../../src/mirror/mirrored.ts';
import { aTensor } from '../compare/builders.ts';

export function aRequest(id = 'r1', over: Partial<InferRequest> = {}): InferRequest {
  return {
    id,
    model: 'fashion',
    version: undefined,
    unit: id,
    traceparent: undefined,
    caller: undefined,
    attributes: { tone: 'dark' },
    priority: 0,
    inputs: [aTensor([1, 2])],
    outputs: undefined,
    deadlineMs: 1_000,
    ...over,
  };
}

export function anAssignment(over: Partial<Assignment> = {}): Assignment {
  return {
    version: '1',
    arm: 'stable',
    by: 'split',
    routeRevision: 1,
    exposure: undefined,
    side: undefined,
    ...over,
  };
}

/** Drawn to the candidate, against stable as the reference. */
export const DRAWN = anAssignment({
  arm: 'candidate',
  version: '2',
  exposure: { candidateBp: 500, referenceBp: 9_500 },
  side: 'candidate',
});

export function answered(startedMs = 0, endedMs = 5): Outcome {
  const response = {
    model: 'fashion',
    version: '1',
    outputs: [aTensor([0.9, 0.1])],
    timing: { queueMs: 0, computeMs: 3 },
    batch: { id: 1, rows: 1 },
  };
  return { kind: 'answer', response, startedMs, endedMs };
}

export function failed(code: ServeErrorCode, startedMs = 0, endedMs = 5): Outcome {
  return { kind: 'failure', code, message: 'no', startedMs, endedMs };
}

type Run = {
  readonly request: InferRequest;
  readonly plan: { readonly twin: boolean; readonly candidateFirst: boolean };
  readonly answer: (times?: { candidateMs: number; twinMs: number }) => void;
  readonly hang: (source: number) => void;
  readonly reject: (code: ServeErrorCode, cause?: unknown) => void;
};

/** A shadow host whose runs end when the test says so. */
export class HandShadowHost implements ShadowHost {
  readonly runs: Run[] = [];

  /** What the process behind it would not have taken. */
  backlog = 0;

  readonly backlogBytes = (): number => this.backlog;

  readonly run: ShadowHost['run'] = (request, plan) =>
    new Promise((resolve, reject) => {
      const candidate = { kind: 'answer', outputs: [aTensor([0.8, 0.2])], computeMs: 1 } as const;
      this.runs.push({
        request,
        plan,
        answer: ({ candidateMs, twinMs } = { candidateMs: 1, twinMs: 1 }) => {
          const twin = plan.twin ? { ...candidate, computeMs: twinMs } : undefined;
          const shadowRun = this.runs.length;
          resolve({ candidate: { ...candidate, computeMs: candidateMs }, twin, shadowRun });
        },
        hang: (source) => reject(new StuckRunError('hung', source)),
        reject: (code, cause) => reject(new ServeError(code, 'no', { cause })),
      });
    });
}

export type Stage = {
  readonly mirror: Mirror;
  readonly shadow: HandShadowHost;
  readonly clock: HandClock;
  readonly pairs: Pair[];
  readonly lapses: Lapse[];
  readonly events: MirrorEvent[];
  readonly expected: string[];
  readonly abandoned: string[];
  readonly errors: string[];
  /** Sends a request through the tap, with an immediate outcome. */
  readonly send: (id: string, outcome?: Outcome) => void;
};

export type StageOptions = {
  readonly setting?: () => MirrorSetting | undefined;
  readonly limits?: Partial<MirrorLimits>;
  readonly shadowHost?: (model: string, version: string) => ShadowHost | undefined;
  readonly liveInFlight?: () => number;
  readonly onPaired?: (pair: Pair) => void;
  readonly seed?: number;
};

export const ALL: MirrorSetting = { version: '2', sampleBp: 10_000, twinBp: 0 };

/** A mirror with everything around it in the test's hand. */
export function aStage(options: StageOptions = {}): Stage {
  const shadow = new HandShadowHost();
  const clock = new HandClock();
  const seen = {
    pairs: [] as Pair[],
    lapses: [] as Lapse[],
    events: [] as MirrorEvent[],
    expected: [] as string[],
    abandoned: [] as string[],
    errors: [] as string[],
  };
  const mirror = createMirror({
    readMirror: options.setting ?? (() => ALL),
    openRollout: () => undefined,
    shadowHost: options.shadowHost ?? (() => shadow),
    clock,
    random: seededRandom(options.seed ?? 1),
    limits: {
      concurrency: 2,
      queueRequestsMax: 4,
      queueBytesMax: 1_000,
      bytesMax: 1_000_000_000,
      deadlineMs: 100,
      lateMs: 1_000,
      ...options.limits,
    },
    liveInFlight: options.liveInFlight ?? (() => 1),
    report: (report) => sort(report, seen, options.onPaired),
    onInternalError: (operation) => seen.errors.push(operation),
  });
  const send = (id: string, outcome = answered()): void =>
    mirror.tap(aRequest(id), anAssignment())?.(outcome);
  return { mirror, shadow, clock, ...seen, send };
}

/** A pair stands for a comparison here. */
function sort(
  report: RolloutReport,
  seen: Pick<Stage, 'pairs' | 'lapses' | 'events' | 'expected' | 'abandoned'>,
  onPaired?: (pair: Pair) => void,
): void {
  switch (report.kind) {
    case 'drawn':
      seen.expected.push(report.requestId);
      return;
    case 'unpaired':
      seen.abandoned.push(report.requestId);
      return;
    case 'unmirrored':
      seen.events.push(report.event);
      return;
    case 'lapsed':
      seen.lapses.push(report.lapse);
      return;
    case 'paired':
      onPaired?.(report.pair);
      seen.pairs.push(report.pair);
      seen.events.push({ kind: 'compared', load: report.load });
      return;
    default:
      throw new Error(`a mirror reports no ${report.kind}`);
  }
}

/** Lets everything that is due happen: what `setImmediate` and settled promises have started. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
