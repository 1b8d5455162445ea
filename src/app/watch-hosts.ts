import { messageOf } from '../core/errors.ts';
import { type Joining, joiningText } from '../core/joining.ts';
import type { Log } from '../core/log.ts';
import type { TrippedReport } from '../core/messages.ts';
import { providerText } from '../core/provider.ts';
import type { Life, ModelVersion } from '../core/version.ts';
import type { ModelStatistics } from '../gateway/model-statistics.ts';
import type { HostListeners } from '../host/host.ts';
import type { Crash } from '../host/supervision.ts';
import type { DeploymentRole } from '../models/deployment.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export type HostWatch = {
  readonly telemetry: Telemetry;
  readonly statistics: Pick<ModelStatistics, 'onReady' | 'onBatch'>;
  readonly log: Log;
  readonly report: (report: TrippedReport) => void;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** Listens to hosts: counts, logs, and ends the trial of a candidate that keeps dying. */
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
      onLife: (target, life) => {
        events.onLife(target, life);
        if (isLive && life.kind === 'ready') statistics.onReady(target);
        log({
          level: life.kind === 'failed' ? 'error' : 'info',
          message: lifeText(life),
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
        const died = endOf(crash);
        log({ level: 'error', message: crashText(crash), facts: { ...facts(target), died } });
      },
      onCrashLoop: (target, detail) => {
        events.onCrashLoop(target, detail);
        log({ level: 'error', message: `process keeps dying: ${detail}`, facts: facts(target) });
        // A main deployment is stable's, or of no trial; stable dying is no fault of a candidate.
        if (role !== 'candidate' && role !== 'shadow') return;
        report({ kind: 'tripped', target, trip: { cause: 'crashLoop', detail } });
      },
      onInternalError,
    };
  };
}

/** A batch that somebody declared and something speaks against may give callers each other's answers. */
function joiningLevel(joining: Joining): 'warn' | 'info' {
  return joining.kind === 'declared' && joining.doubt !== undefined ? 'warn' : 'info';
}

function unkeptText(why: string): string {
  return `an answer is not as the file declares: ${why}. It is served all the same, and versions on trial are not held to that output's declaration either; export the model with its true shapes`;
}

function endOf({ signal, exitCode }: Crash): string {
  return signal ?? `exit code ${exitCode ?? 'unknown'}`;
}

function crashText(crash: Crash): string {
  const why = crash.because === undefined ? '' : `: ${crash.because}`;
  return `process died (${endOf(crash)}${why}) with ${crash.inFlight} requests in it; it is started again`;
}

function lifeText(life: Life): string {
  return life.kind === 'failed' ? `failed: ${life.reason}` : life.kind;
}

/** Reports errors outside any request. */
export function reportInternalErrors(
  telemetry: Pick<Telemetry, 'onInternalError'>,
  log: Log,
): (operation: string, error: unknown) => void {
  return (operation, error) => {
    telemetry.onInternalError(operation.split(' ')[0] ?? operation);
    log({ level: 'error', message: messageOf(error), facts: { operation } });
  };
}
