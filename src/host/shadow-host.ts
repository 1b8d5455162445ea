import { type Clock, TIMER_MS_MAX } from '../core/clock.ts';
import { messageOf, ServeError } from '../core/errors.ts';
import type { InferRequest } from '../core/infer.ts';
import type { Observation } from '../core/outcome.ts';
import { StuckRunError } from '../core/stuck-run.ts';
import type { Signature } from '../core/tensor.ts';
import type { VersionState } from '../core/version.ts';
import type { Answer } from '../core/work.ts';
import type { Source } from '../runtime/runtime.ts';
import type { AnchorHost } from './anchor-host.ts';
import { heldToStable } from './answer-fit.ts';
import type { Birth } from './birth.ts';
import { type HostListeners, listenersFor } from './host.ts';
import type { JoiningSetting } from './joinings.ts';
import type { LoadBounds } from './load-bounds.ts';
import { Supervisor } from './supervisor.ts';

export type ShadowHostOptions = LoadBounds & {
  readonly candidate: Source;
  /** Stable's copy: the noise floor and the fair latency reference. */
  readonly twin: Source;
  /** What stable's live answers keep to of its declaration; by default all of it. */
  readonly stableForm?: (() => Signature | undefined) | undefined;
  readonly joinings: { readonly candidate: JoiningSetting; readonly twin: JoiningSetting };
  /** As of a host; for both. */
  readonly checkFiles?: (() => Promise<void>) | undefined;
  /** As of a host. */
  readonly birth: Birth;
  readonly queue: { readonly requestsMax: number; readonly bytesMax: number };
  readonly batchRowsMax: number;
  readonly runMsMax: number;
  readonly clock: Clock;
  /** Called with the candidate as the target. */
  readonly listeners: HostListeners;
};

export type ShadowPlan = {
  /** Run stable's copy too, on the same bytes in the same batch, right before or after. */
  readonly twin: boolean;
  readonly candidateFirst: boolean;
};

/** What both said. Outputs are copies of their own, safe to keep. */
export type ShadowResult = {
  readonly candidate: Observation;
  readonly twin: Observation | undefined;
  /** Numbers the runs; requests of one run were timed together. */
  readonly shadowRun: number;
};

/** The shadow host: one child process of low priority with one worker thread that holds the candidate and the twin. */
export type ShadowHost = {
  /**
   * Rejects with ServeError `overloaded`, `deadline_exceeded` or `host_lost` where the request was not run to its end, and
   * with StuckRunError where its run hung: source 0 is the candidate, 1 the twin.
   * A candidate that refuses or fails on the request is an observation, not a rejection.
   */
  readonly run: (request: InferRequest, plan: ShadowPlan) => Promise<ShadowResult>;
  /** Requests taken and not yet answered. */
  readonly waiting: () => number;
  /** Bytes that are on their way to the child: those of cancelled requests among them. */
  readonly backlogBytes: () => number;
  /** What runs beside it; undefined: nothing. */
  readonly anchor?: Pick<AnchorHost, 'answer' | 'state'> | undefined;
  readonly state: () => VersionState;
  readonly pid: () => number | undefined;
  /** Gives up what is in flight, for no client waits for it; resolves once the run that has begun is over and the process is gone. */
  readonly close: () => Promise<void>;
};

/** The sources' places in the child. */
const CANDIDATE = 0;
const TWIN = 1;
const ALONE = [CANDIDATE] as const;
const CANDIDATE_FIRST = [CANDIDATE, TWIN] as const;
const TWIN_FIRST = [TWIN, CANDIDATE] as const;

/** Resolves with both loaded and warm. Rejects with ServeError `version_not_ready` naming which could not be and why. */
export async function startShadowHost(options: ShadowHostOptions): Promise<ShadowHost> {
  const { candidate, twin, joinings, checkFiles, birth, queue, batchRowsMax } = options;
  const { runMsMax, loadMsMax, signal, clock, listeners, stableForm } = options;
  const target = { model: candidate.model, version: candidate.version };
  const twinTarget = { model: twin.model, version: twin.version };
  try {
    const executor = await Supervisor.start({
      setting: {
        sources: [candidate, twin],
        joinings: [joinings.candidate, joinings.twin],
        // One thread, so that both are timed on the same core under the same load.
        replicas: 1,
        batch: { rowsMax: batchRowsMax, delayMs: 0 },
        queue,
        runMsMax,
      },
      checkFiles,
      birth,
      ...{ loadMsMax, signal },
      clock,
      afterCrashLoop: 'giveUp',
      holdDuringRestart: false,
      listeners: listenersFor([target, twinTarget], listeners),
    });
    const abandon = new Set<() => void>();
    return {
      run: (request, plan) => runInShadow({ executor, clock, stableForm, request, plan, abandon }),
      waiting: () => executor.inFlight,
      backlogBytes: () => executor.backlogBytes,
      state: () => executor.state,
      pid: () => executor.pid,
      close: () => {
        for (const each of [...abandon]) each();
        return executor.close();
      },
    };
  } catch (error) {
    throw new ServeError('version_not_ready', `the shadow host: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

type ShadowRun = {
  readonly executor: Supervisor;
  readonly clock: Clock;
  readonly stableForm: ShadowHostOptions['stableForm'];
  readonly request: InferRequest;
  readonly plan: ShadowPlan;
  /** One for each request in flight: gives it up. */
  readonly abandon: Set<() => void>;
};

function runInShadow(shadow: ShadowRun): Promise<ShadowResult> {
  const { executor, clock, request: work, plan: order, abandon } = shadow;
  const plan = orderOf(order);
  const leftMs = Math.min(Math.ceil(work.deadlineMs - clock.monotonicMs()), TIMER_MS_MAX);
  return new Promise((resolve, reject) => {
    const settled = (): void => {
      clearTimeout(timer);
      abandon.delete(unload);
    };
    const giveUp = (error: ServeError): void => {
      settled();
      reject(error);
      cancel();
    };
    const unload = (): void =>
      giveUp(asShadowError(new ServeError('version_not_ready', 'it is being unloaded')));
    const cancel = submit(
      executor,
      { work, plan },
      {
        resolve: (answer) => {
          settled();
          resolve(resultOf(answer, plan, shadow));
        },
        reject: (error) => {
          settled();
          reject(asShadowError(error));
        },
      },
    );
    const timer = setTimeout(
      () => giveUp(new ServeError('deadline_exceeded', 'the shadow host was too slow')),
      leftMs,
    );
    abandon.add(unload);
  });
}

function submit(
  executor: Supervisor,
  ...[planned, settle]: Parameters<Supervisor['submit']>
): () => void {
  try {
    return executor.submit(planned, settle);
  } catch (error) {
    throw asShadowError(ServeError.from(error));
  }
}

function orderOf({ twin, candidateFirst }: ShadowPlan): readonly number[] {
  if (!twin) return ALONE;
  return candidateFirst ? CANDIDATE_FIRST : TWIN_FIRST;
}

/** Both are held to stable's form, so that neither is compared with less than the other. */
function resultOf(
  answer: Answer,
  order: readonly number[],
  { executor, stableForm, request }: ShadowRun,
): ShadowResult {
  const { runs, batch } = answer;
  const twin = executor.models[TWIN];
  const stable = twin && {
    signature: stableForm?.() ?? twin.signature,
    joining: executor.joinings()[TWIN],
  };
  const runOf = (source: number): Observation | undefined => {
    const run = runs[order.indexOf(source)];
    if (run === undefined) return undefined;
    return owned(stable === undefined ? run : heldToStable(run, stable, request));
  };
  const candidate = runOf(CANDIDATE);
  if (candidate === undefined)
    throw new ServeError('internal', 'the shadow host did not run the candidate');
  return { candidate, twin: runOf(TWIN), shadowRun: batch.id };
}

/** A view would keep the whole chunk that came from the socket for as long as the observation is kept. */
function owned(run: Observation): Observation {
  if (run.kind === 'failure') return run;
  const outputs = run.outputs.map((output) => ({ ...output, data: Uint8Array.from(output.data) }));
  return { ...run, outputs };
}

/** A shadow host that is not there, or is being killed, is a lost one; of a run that hangs it is known whose it was. */
function asShadowError(error: ServeError): ServeError {
  if (error instanceof StuckRunError) return error;
  if (error.code !== 'version_not_ready' && error.code !== 'runtime_failed') return error;
  return new ServeError('host_lost', error.message, { cause: error });
}
