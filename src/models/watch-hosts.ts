import { type Joining, joiningText } from '../core/joining.ts';
import type { Log } from '../core/log.ts';
import type { TrippedReport } from '../core/messages.ts';
import { providerText } from '../core/provider.ts';
import { counted } from '../core/text.ts';
import type { ModelVersion, VersionState } from '../core/version.ts';
import type { HostListeners } from '../host/host.ts';
import type { Crash } from '../host/supervision.ts';
import type { DeploymentRole } from './deployment.ts';

export type HostWatch = {
  readonly telemetry: {
    /** Counts what the hosts in one role do. */
    readonly hostListeners: (
      role: DeploymentRole | 'shadow',
    ) => Omit<HostListeners, 'onUnkeptForm' | 'onInternalError'>;
  };
  /** Counts what live versions do, for the protocol. */
  readonly statistics: {
    readonly onReady: (target: ModelVersion) => void;
    readonly onBatch: HostListeners['onBatch'];
  };
  readonly log: Log;
  readonly report: (report: TrippedReport) => void;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** Listens to hosts: counts, logs, and ends the trial of a candidate in a crash loop. */
export function watchHosts(watch: HostWatch): (role: DeploymentRole | 'shadow') => HostListeners {
  const { telemetry, statistics, log, report, onInternalError } = watch;
  return (role) => {
    const events = telemetry.hostListeners(role);
    // What runs in the shadow answers no client.
    const isLive = role !== 'shadow';
    const facts = ({ model, version }: ModelVersion) => ({ model, version, role });
    const warn = (target: ModelVersion, message: string) =>
      log({ level: 'warn', message, facts: facts(target) });
    return {
      onState: (target, state) => {
        events.onState(target, state);
        if (isLive && state.kind === 'ready') statistics.onReady(target);
        log({
          level: state.kind === 'failed' ? 'error' : 'info',
          message: stateText(state),
          facts: facts(target),
        });
      },
      onBatch: (target, batch) => {
        events.onBatch(target, batch);
        if (isLive) statistics.onBatch(target, batch);
      },
      onJoining: (target, joining) => {
        events.onJoining(target, joining);
        log({
          level: joiningLevel(joining),
          message: `batch: ${joiningText(joining)}`,
          facts: facts(target),
        });
      },
      onRecheck: events.onRecheck,
      onProvider: (target, provider) => {
        events.onProvider(target, provider);
        if (provider.fallbackReason !== undefined)
          warn(target, `runs on ${providerText(provider)}`);
      },
      onUnkeptForm: (target, _output, why) => {
        // A version on trial is held to stable's form, and that is where it shows.
        if (role === 'main') warn(target, unkeptText(why));
      },
      onCrash: (target, crash) => {
        events.onCrash(target, crash);
        const exit = exitOf(crash);
        log({ level: 'error', message: crashText(crash), facts: { ...facts(target), exit } });
      },
      onCrashLoop: (target, detail) => {
        events.onCrashLoop(target, detail);
        const next = role === 'shadow' ? 'giving up' : 'restarting at growing intervals';
        log({ level: 'error', message: `crash loop (${detail}); ${next}`, facts: facts(target) });
        // Control is never on trial; a main deployment is where a holdback's candidate is stable.
        if (role === 'control') return;
        report({ kind: 'tripped', target, trip: { cause: 'crashLoop', detail } });
      },
      onInternalError,
    };
  };
}

/** A declared batch with a known doubt may give callers each other's answers. */
function joiningLevel(joining: Joining): 'warn' | 'info' {
  return joining.kind === 'declared' && joining.doubt !== undefined ? 'warn' : 'info';
}

function unkeptText(why: string): string {
  return `answer differs from the model file's declaration (${why}); serving it, and not checking this output on trial either. Export the model with its true shapes`;
}

function exitOf({ signal, exitCode }: Crash): string {
  return signal ?? `exit code ${exitCode ?? 'unknown'}`;
}

function crashText(crash: Crash): string {
  const why = crash.because === undefined ? '' : `: ${crash.because}`;
  const lost = counted(crash.inFlight, 'request');
  const next = crash.isRestarting ? 'restarting' : 'giving up';
  return `process exited (${exitOf(crash)}${why}), ${lost} in flight lost; ${next}`;
}

function stateText(state: VersionState): string {
  return state.kind === 'failed' ? `failed: ${state.reason}` : state.kind;
}
