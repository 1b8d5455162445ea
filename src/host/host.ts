import type { QueueLimits } from '../batching/queue.ts';
import { offAbort, onAbort } from '../concurrency/cancel-token.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf, ServeError } from '../core/errors.ts';
import type { Infer, InferResponse } from '../core/infer.ts';
import type { Joining } from '../core/joining.ts';
import type { ProviderReport } from '../core/provider.ts';
import type { Signature } from '../core/tensor.ts';
import type { ModelVersion, VersionState } from '../core/version.ts';
import type { Source } from '../runtime/runtime.ts';
import type { Birth, ProcessRole } from './birth.ts';
import type { Executor, ExecutorSetting } from './executor.ts';
import type { JoiningSetting, KeptExample } from './joinings.ts';
import { KeptForm } from './kept-form.ts';
import { boundedLoad, type LoadBounds } from './load-bounds.ts';
import { openLocalExecutor } from './local-executor.ts';
import type { Crash, SupervisorListeners } from './supervision.ts';
import { Supervisor } from './supervisor.ts';
import { VersionStateMachine } from './version-state-machine.ts';

export type HostOptions = LoadBounds & {
  readonly target: ModelVersion;
  readonly source: Source;
  /** Rejects where what would be loaded is not what was read. Asked before each load, also after the process has died. */
  readonly checkFiles?: (() => Promise<void>) | undefined;
  /** `process`: a child process of its own. `thread`: in this process, so a native crash takes this process down. */
  readonly tier: 'process' | 'thread';
  /** Priority, memory limit and environment of the child process; a thread has those of this process. */
  readonly birth: Birth;
  /** Runs in parallel. Triton's instance_group count. */
  readonly replicas: number;
  readonly batch: { readonly rowsMax: number; readonly delayMs: number };
  /** Whether requests share runs. */
  readonly joining: JoiningSetting;
  readonly queue: QueueLimits;
  /** Max time of a run (ms). Beyond, a child is killed, a thread is left behind and replaced. TorchServe's responseTimeout. */
  readonly runMsMax: number;
  readonly clock: Clock;
  readonly listeners: HostListeners;
};

export type HostListeners = {
  readonly onState: (target: ModelVersion, state: VersionState) => void;
  readonly onBatch: (
    target: ModelVersion,
    batch: { rows: number; requests: number; computeMs: number },
  ) => void;
  readonly onJoining: (target: ModelVersion, joining: Joining, example?: KeptExample) => void;
  readonly onRecheck: (target: ModelVersion, isSame: boolean) => void;
  /** The provider that a load ended with, the load after a crash included. */
  readonly onProvider: (target: ModelVersion, provider: ProviderReport) => void;
  /** An output whose answers do not keep to its declaration, once each. */
  readonly onUnkeptForm: (target: ModelVersion, output: string, why: string) => void;
  readonly onCrash: (target: ModelVersion, crash: Crash) => void;
  /** The third crash within a minute. */
  readonly onCrashLoop: (target: ModelVersion, detail: string) => void;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** One version at work. */
export type Host = {
  readonly target: ModelVersion;
  readonly signature: Signature;
  /** What its answers keep to of its signature. */
  readonly form: () => Signature;
  /** As of the last load: after a crash it may be another. */
  readonly provider: () => ProviderReport;
  /** Whether requests share runs, and on what ground. */
  readonly joining: () => Joining;
  /** Stays `ready` during a short restart of the child: requests that arrive then are held and answered after it. */
  readonly state: () => VersionState;
  readonly inFlight: () => number;
  readonly infer: Infer;
  /** Gives the process the label and `oom_score_adj` of another role. No effect in the `thread` tier. */
  readonly become: (role: ProcessRole) => void;
  /** Refuses new requests, answers those in flight, and releases everything. */
  readonly close: () => Promise<void>;
  /** Of the child process; undefined in the `thread` tier and while a child is being started. */
  readonly pid: () => number | undefined;
};

const NOT_JOINED: Joining = { kind: 'off', because: 'it has no source' };

/** Live hosts have one source. */
const PLAN = [0] as const;

/** Resolves loaded and warm. Rejects with ServeError `version_not_ready` naming the reason. */
export async function startHost(options: HostOptions): Promise<Host> {
  try {
    return options.tier === 'process'
      ? await startProcessHost(options)
      : await startThread(options);
  } catch (error) {
    const { model, version } = options.target;
    throw new ServeError(
      'version_not_ready',
      `${model} version ${version} cannot be served: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

async function startProcessHost(options: HostOptions): Promise<Host> {
  const { target, checkFiles, birth, loadMsMax, signal, clock, listeners } = options;
  const executor = await Supervisor.start({
    setting: settingOf(options),
    checkFiles,
    birth,
    ...{ loadMsMax, signal },
    clock,
    afterCrashLoop: 'keepTrying',
    holdDuringRestart: true,
    listeners: listenersFor([target], listeners),
  });
  return hostOf(options, {
    executor,
    state: () => executor.state,
    pid: () => executor.pid,
    become: (role) => executor.become(role),
    close: () => executor.close(),
  });
}

/** A supervisor knows no versions: what it says of a source is said of the target in its place, all else of the first. */
export function listenersFor(
  targets: readonly [ModelVersion, ...ModelVersion[]],
  listeners: HostListeners,
): SupervisorListeners {
  const [target] = targets;
  return {
    onJoining: (source, joining, example) =>
      listeners.onJoining(targets[source] ?? target, joining, example),
    onRecheck: (isSame) => listeners.onRecheck(target, isSame),
    onProvider: (source, provider) => listeners.onProvider(targets[source] ?? target, provider),
    onState: (state) => listeners.onState(target, state),
    onBatch: (batch) => listeners.onBatch(target, batch),
    onCrash: (crash) => listeners.onCrash(target, crash),
    onCrashLoop: (detail) => listeners.onCrashLoop(target, detail),
    onInternalError: listeners.onInternalError,
  };
}

async function startThread(options: HostOptions): Promise<Host> {
  const { target, clock, listeners } = options;
  const machine = new VersionStateMachine((state) => listeners.onState(target, state));
  const setting = { ...settingOf(options), firstBatchId: 0 };
  try {
    await boundedLoad(Promise.resolve(options.checkFiles?.()), options);
    const opening = openLocalExecutor(
      setting,
      {
        onBatch: (batch) => listeners.onBatch(target, batch),
        onProbe: () => undefined,
        onJoining: (_, joining, example) => listeners.onJoining(target, joining, example),
        onRecheck: (isSame) => listeners.onRecheck(target, isSame),
        onStuck: (runMs) => {
          const error = new Error(`a run took longer than ${runMs} ms; its thread was replaced`);
          listeners.onInternalError('run', error);
        },
        onInternalError: listeners.onInternalError,
      },
      clock,
    );
    const executor = await loadedWithin(opening, options);
    for (const { provider } of executor.models) listeners.onProvider(target, provider);
    machine.become({ kind: 'ready' });
    const close = async (): Promise<void> => {
      machine.become({ kind: 'draining' });
      await executor.close();
      machine.become({ kind: 'unloaded' });
    };
    let closing: Promise<void> | undefined;
    return hostOf(options, {
      executor,
      state: () => machine.state,
      pid: () => undefined,
      become: () => undefined,
      close: () => {
        closing ??= close();
        return closing;
      },
    });
  } catch (error) {
    machine.end(messageOf(error), options.signal);
    throw error;
  }
}

/** A thread that hangs while it loads cannot be ended; should it come round after all, it is closed. */
async function loadedWithin(opening: Promise<Executor>, bounds: LoadBounds): Promise<Executor> {
  try {
    return await boundedLoad(opening, bounds);
  } catch (error) {
    opening.then((executor) => executor.close()).catch(() => undefined);
    throw error;
  }
}

function settingOf(options: HostOptions): Omit<ExecutorSetting, 'firstBatchId'> {
  const { source, joining, replicas, batch, queue, runMsMax } = options;
  return { sources: [source], joinings: [joining], replicas, batch, queue, runMsMax };
}

type Parts = Pick<Host, 'state' | 'pid' | 'become' | 'close'> & { readonly executor: Executor };

function hostOf(
  { target, listeners }: HostOptions,
  { executor, state, pid, become, close }: Parts,
): Host {
  const { model, version } = target;
  const [opened] = executor.models;
  if (opened === undefined) throw new Error('expected one open model, found none');
  const form = new KeptForm(opened.signature, (output, why) =>
    listeners.onUnkeptForm(target, output, why),
  );
  let inFlight = 0;
  const infer: Infer = (request, signal) => {
    return new Promise<InferResponse>((resolve, reject) => {
      if (signal.aborted) throw new ServeError('cancelled', 'the caller went away');
      const settled = (): void => {
        inFlight -= 1;
        offAbort(signal, cancel);
      };
      const cancel = executor.submit(
        { work: request, plan: PLAN },
        {
          resolve: (answer) => {
            settled();
            const [run] = answer.runs;
            if (run?.kind !== 'answer') {
              return reject(new ServeError(run?.code ?? 'internal', run?.message ?? 'no run'));
            }
            form.learn(run.outputs, request.outputs);
            const { queueMs, batch } = answer;
            const timing = { queueMs, computeMs: run.computeMs };
            const { outputs, nonFinite } = run;
            resolve({ model, version, outputs, nonFinite, timing, batch });
          },
          reject: (error) => {
            settled();
            reject(error);
          },
        },
      );
      inFlight += 1;
      onAbort(signal, cancel);
    });
  };
  return {
    target,
    signature: opened.signature,
    form: () => form.signature(),
    provider: () => executor.models[0]?.provider ?? opened.provider,
    joining: () => executor.joinings()[0] ?? NOT_JOINED,
    state,
    inFlight: () => inFlight,
    infer,
    become,
    close,
    pid,
  };
}
