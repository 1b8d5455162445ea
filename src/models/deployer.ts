import type { ModelConfig } from '../config/model-section.ts';
import type { Clock } from '../core/clock.ts';
import { ServeError } from '../core/errors.ts';
import type { ModelVersion } from '../core/version.ts';
import { AnchorHost } from '../host/anchor-host.ts';
import type { Birth } from '../host/birth.ts';
import { type Host, type HostListeners, type HostOptions, startHost } from '../host/host.ts';
import type { JoiningStore } from '../host/joining-store.ts';
import type { JoiningSetting } from '../host/joinings.ts';
import { type ShadowHost, type ShadowHostOptions, startShadowHost } from '../host/shadow-host.ts';
import { checkUnchanged } from '../repository/check-unchanged.ts';
import type { Package } from '../repository/package.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { type Deployment, type DeploymentRole, processRoleOf } from './deployment.ts';
import { instancesOf } from './instances.ts';
import { joiningKey, joiningSetting } from './joining-setting.ts';
import type { ShadowTarget } from './shadow-hosts.ts';

/**
 * The shadow host yields to everything that serves live requests: the lowest priority short of idle, given at birth. Two replicas'
 * worth of requests may wait in it; the mirror bounds what it sends. Where memory runs out, it is the first to be killed.
 */
const SHADOW = { nice: 15, oomScoreAdj: 900 } as const;

export type DeployerOptions = {
  readonly clock: Clock;
  readonly joinings: JoiningStore;
  /** Variables that the runtimes read, for the child processes. */
  readonly environment: Birth['environment'];
  /** For the deployments in one role, or for shadow hosts. */
  readonly listeners: (role: DeploymentRole | 'shadow') => HostListeners;
};

/** Starts hosts, live and shadow, for versions of the repository, as they are configured to be run. */
export class Deployer {
  readonly #options: DeployerOptions;

  constructor(options: DeployerOptions) {
    this.#options = options;
  }

  /** All deployments of a model are alike but for the version, so that arms can be compared. */
  async startHost({ target, role, entry }: Deployment, signal?: AbortSignal): Promise<Host> {
    const { clock, environment } = this.#options;
    const { found, source, settings } = sourceOf(target, entry);
    const listeners = this.#keeping(role, [{ found, settings }]);
    const { instances, batch, execution } = settings;
    const { deadlineMs: _, ...queue } = settings.queue;
    const { replicas } = instancesOf(instances);
    return await startHost({
      target,
      source,
      checkFiles: checkUnchanged(found),
      tier: execution.isolation,
      birth: {
        ...processRoleOf({ target, role }),
        ...{ nice: 0, environment },
        memoryBytesMax: execution.memoryBytesMax,
      },
      replicas,
      batch: { rowsMax: runRowsMax(batch), delayMs: batch.delayMs },
      joining: await this.#joiningOf({ found, settings }, listeners),
      queue,
      runMsMax: execution.runMsMax,
      ...{ loadMsMax: execution.loadMsMax, signal },
      clock,
      listeners,
    });
  }

  /** With what runs beside it, which is loaded once the shadow host is there, and keeps nothing waiting. */
  async startShadowHost(
    target: ShadowTarget,
    stableForm: ShadowHostOptions['stableForm'],
    signal?: AbortSignal,
  ): Promise<ShadowHost> {
    const shadow = await this.#startShadowHost(target, stableForm, signal);
    if (target.anchor === undefined) return shadow;
    const anchor = new AnchorHost({
      start: (given) => this.#startAnchor(target, given),
      clock: this.#options.clock,
    });
    const close = async (): Promise<void> => {
      await Promise.all([shadow.close(), anchor.close()]);
    };
    return { ...shadow, anchor, close };
  }

  async #startShadowHost(
    { model, candidate: mirrored, twin: stable, entry }: ShadowTarget,
    stableForm: ShadowHostOptions['stableForm'],
    signal?: AbortSignal,
  ): Promise<ShadowHost> {
    const { clock, environment } = this.#options;
    const candidate = sourceOf({ model, version: mirrored }, entry);
    const twin = sourceOf({ model, version: stable }, entry);
    const { batch, queue, execution } = candidate.settings;
    const listeners = this.#keeping('shadow', [candidate, twin]);
    const checks = [candidate, twin].map(({ found }) => checkUnchanged(found));
    return await startShadowHost({
      candidate: candidate.source,
      twin: twin.source,
      stableForm,
      joinings: {
        candidate: await this.#joiningOf(candidate, listeners),
        twin: await this.#joiningOf(twin, listeners),
      },
      checkFiles: async () => {
        for (const check of checks) await check();
      },
      // It holds two models, and loads one after the other.
      ...{ loadMsMax: 2 * execution.loadMsMax, signal },
      birth: {
        label: `${model}/${mirrored} shadow`,
        ...{ ...SHADOW, environment, memoryBytesMax: twice(execution.memoryBytesMax) },
      },
      // Mirrored requests have no client waiting: there is no urgency.
      queue: { requestsMax: queue.requestsMax, bytesMax: queue.bytesMax },
      batchRowsMax: runRowsMax(batch),
      runMsMax: execution.runMsMax,
      clock,
      listeners,
    });
  }

  /**
   * A version beside a shadow host, as it is read now: with another digest than expected it is not what was the anchor. In a process
   * of its own, of the shadow's priority.
   */
  async #startAnchor({ model, anchor, entry }: ShadowTarget, signal: AbortSignal): Promise<Host> {
    if (anchor === undefined) throw new Error(`expected an anchor of ${model}, found none`);
    const target = { model, version: anchor.version };
    const { found, source, settings } = sourceOf(target, entry);
    if (found.digest !== anchor.digest) {
      throw new ServeError(
        'version_not_ready',
        `the files of version ${anchor.version} have changed since it became the anchor`,
      );
    }
    const { clock, environment } = this.#options;
    const listeners = this.#keeping('shadow', [{ found, settings }]);
    const { batch, execution, queue } = settings;
    return await startHost({
      ...{ target, source, checkFiles: checkUnchanged(found), tier: 'process' },
      birth: {
        label: `${model}/${anchor.version} anchor`,
        ...{ ...SHADOW, environment, memoryBytesMax: execution.memoryBytesMax },
      },
      replicas: 1,
      batch: { rowsMax: runRowsMax(batch), delayMs: 0 },
      joining: await this.#joiningOf({ found, settings }, listeners),
      queue: { requestsMax: queue.requestsMax, bytesMax: queue.bytesMax },
      runMsMax: execution.runMsMax,
      ...{ loadMsMax: execution.loadMsMax, signal },
      ...{ clock, listeners },
    });
  }

  /** Reports known findings immediately; a probe reports its own later. */
  async #joiningOf(
    { found, settings }: Kept,
    { onJoining }: HostListeners,
  ): Promise<JoiningSetting> {
    const setting = await joiningSetting(found, settings, this.#options.joinings);
    if (!setting.probe) onJoining(found, setting.joining);
    return setting;
  }

  /** The listeners of a role, and what is found of rows is kept for the next start. */
  #keeping(role: DeploymentRole | 'shadow', runnables: readonly Kept[]): HostListeners {
    const { joinings, listeners } = this.#options;
    const own = listeners(role);
    return {
      ...own,
      onJoining: (target, joining, example) => {
        const kept = runnables.find(({ found }) => found.version === target.version);
        if (kept) joinings.put(joiningKey(kept.found, kept.settings), joining, example);
        own.onJoining(target, joining, example);
      },
    };
  }
}

function twice(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : 2 * bytes;
}

/** With batching off every request runs by itself. */
function runRowsMax({ rowsMax }: ModelConfig['batch']): number {
  return Math.max(1, rowsMax);
}

type Source = HostOptions['source'];

type Kept = Pick<Runnable, 'found' | 'settings'>;

type Runnable = {
  readonly found: Package;
  readonly source: Source;
  readonly settings: ModelConfig;
};

function sourceOf({ model, version }: ModelVersion, entry: CatalogEntry | undefined): Runnable {
  const found = entry?.packages.get(version);
  const file = found?.models[0]?.file;
  if (entry === undefined || found === undefined || file === undefined) {
    const others = [...(entry?.packages.keys() ?? [])].map((each) => `'${each}'`).join(', ');
    throw new ServeError(
      'version_not_ready',
      `'${model}' version '${version}' is not in the repository. Found ${others || 'none'}`,
    );
  }
  const { settings } = entry;
  const { instances, execution } = settings;
  const source: Source = {
    model,
    version,
    file,
    runtime: 'onnx',
    providers: execution.providers,
    strict: execution.strict,
    intraOpThreads: instancesOf(instances).intraOpThreads,
    ...(found.warmups.length > 0 ? { warmups: found.warmups } : {}),
    ...(found.inspected.edits && { edits: found.inspected.edits }),
    ...(found.reshapes.length > 0 ? { reshapes: found.reshapes } : {}),
  };
  return { found, source, settings };
}
