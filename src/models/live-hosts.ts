import { settleAll } from '../concurrency/settle-all.ts';
import { causeMessageOf, ServeError } from '../core/errors.ts';
import type { Arm } from '../core/route.ts';
import type { ModelVersion } from '../core/version.ts';
import type { Host } from '../host/host.ts';
import {
  type Deployment,
  type DeploymentRole,
  deploymentKey,
  planDeployments,
  processRoleOf,
  roleOf,
  servingKey,
} from './deployment.ts';
import { SharedLoads } from './shared-loads.ts';

export type LiveHostsOptions = {
  /**
   * Loads a version for a role and resolves when it is ready; rejects with a ServeError if it cannot serve, or once the signal
   * says that it is no longer wanted.
   */
  readonly startHost: (deployment: Deployment, signal: AbortSignal) => Promise<Host>;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

export type Preparation = {
  /** Deployments that may be missing in the end; by default none. */
  readonly may?: (deployment: Deployment) => boolean;
  /** Gives up loads in progress, except those that another change waits for. */
  readonly signal?: AbortSignal | undefined;
};

type Running = { readonly deployment: Deployment; readonly host: Host };

/** In the order in which they take each other's requests. */
const ROLES: readonly DeploymentRole[] = ['main', 'control', 'candidate'];

/**
 * All hosts of this gateway that serve live requests, by deployment. A change has two halves, with the change of route between
 * them: `prepare` makes every wanted deployment ready and takes nothing away; `reconcile` routes traffic to what is wanted, then
 * drains and closes the rest. A new build of a version is loaded in addition to the old one until the second.
 */
export class LiveHosts {
  readonly #options: LiveHostsOptions;
  readonly #running = new Map<string, Running>();
  /** By version and role: the one of its builds that gets the traffic. */
  readonly #serving = new Map<string, Running>();
  readonly #loads: SharedLoads<Deployment>;
  /** What is being closed, and of which model. */
  readonly #closing = new Map<Promise<void>, string>();
  /** By model, then by version: why the last load failed. */
  readonly #faults = new Map<string, Map<string, string>>();
  #isClosed = false;

  constructor(options: LiveHostsOptions) {
    this.#options = options;
    this.#loads = new SharedLoads({
      keyOf: deploymentKey,
      start: (deployment, signal) => this.#start(deployment, signal),
    });
  }

  /** The host that answers for an arm of a route: the deployment in the role of that arm, else any other of the same version. */
  find(target: ModelVersion, arm: Arm): Host | undefined {
    const exact = this.#serving.get(servingKey(target, roleOf(arm)));
    if (exact) return exact.host;
    for (const role of ROLES) {
      const other = this.#serving.get(servingKey(target, role));
      if (other) return other.host;
    }
    return undefined;
  }

  /** Why a version could not be loaded when that was last tried; undefined: it could, or it is not wanted. */
  fault({ model, version }: ModelVersion): string | undefined {
    return this.#faults.get(model)?.get(version);
  }

  /** Whether a version is being loaded for any role. */
  isLoading({ model, version }: ModelVersion): boolean {
    return this.#loads
      .targets()
      .some(({ target }) => target.model === model && target.version === version);
  }

  /** All deployments of a model that are ready, in no order. */
  deployments(model: string): readonly Deployment[] {
    return this.#all(model).map(({ deployment }) => deployment);
  }

  /**
   * Makes every wanted deployment of a model ready, keeping all others. Rejects if one cannot be loaded, once the rest is; that
   * stays. Deployments that only `may` be there are loaded too, and their failure is no error.
   */
  async prepare(
    model: string,
    wanted: readonly Deployment[],
    { may = () => false, signal }: Preparation = {},
  ): Promise<void> {
    const plan = planDeployments(wanted, this.deployments(model));
    for (const { from, to } of plan.moves) this.#move(from, to);
    await settleAll(
      plan.loads.map((each) => {
        const loading = this.#load(each, signal);
        // Listeners of the host are called, and `fault` says why.
        return may(each) ? loading.catch(() => undefined) : loading;
      }),
    );
  }

  /**
   * Routes traffic to the wanted deployments, as far as they are there, keeps those that are `coming`, and closes all others of the
   * model; the route must not lead to those any more. Resolves when they have answered what they had; never rejects.
   */
  async reconcile(
    model: string,
    wanted: readonly Deployment[],
    coming: readonly Deployment[] = [],
  ): Promise<void> {
    const { moves, drops } = planDeployments(wanted, this.deployments(model));
    for (const { from, to } of moves) this.#move(from, to);
    for (const each of wanted) {
      const running = this.#running.get(deploymentKey(each));
      if (running) this.#serving.set(servingKey(each.target, each.role), running);
    }
    this.#forgetFaults(model, [...wanted, ...coming]);
    const kept = new Set(coming.map(deploymentKey));
    const closing = drops.filter((each) => !kept.has(deploymentKey(each)));
    for (const each of closing) void this.#drop(each);
    // What an earlier call closes is waited for too.
    await Promise.all([...this.#closing].flatMap(([done, of]) => (of === model ? done : [])));
  }

  /** Gives up all that is being loaded, and loads nothing any more. */
  abandonLoads(): void {
    this.#isClosed = true;
    this.#loads.giveUp();
  }

  /** Drains and closes everything. */
  async close(): Promise<void> {
    this.abandonLoads();
    await this.#loads.ended();
    for (const { deployment } of [...this.#running.values()]) void this.#drop(deployment);
    await Promise.all(this.#closing.keys());
  }

  #all(model: string): readonly Running[] {
    return [...this.#running.values()].filter(
      ({ deployment }) => deployment.target.model === model,
    );
  }

  #move(from: Deployment, to: Deployment): void {
    const running = this.#leave(from);
    if (running === undefined) return;
    running.host.become(processRoleOf(to));
    this.#take(to, running.host);
  }

  /** Where no build serves yet, the first one that is ready gets the traffic. */
  #take(deployment: Deployment, host: Host): void {
    const running = { deployment, host };
    const key = servingKey(deployment.target, deployment.role);
    this.#running.set(deploymentKey(deployment), running);
    if (!this.#serving.has(key)) this.#serving.set(key, running);
  }

  #leave(deployment: Deployment): Running | undefined {
    const running = this.#running.get(deploymentKey(deployment));
    this.#running.delete(deploymentKey(deployment));
    const key = servingKey(deployment.target, deployment.role);
    if (this.#serving.get(key) === running) this.#serving.delete(key);
    return running;
  }

  async #load(deployment: Deployment, signal: AbortSignal | undefined): Promise<void> {
    if (this.#isClosed) throw givenUp(deployment);
    await this.#loads.load(deployment, signal);
  }

  async #start(deployment: Deployment, signal: AbortSignal): Promise<void> {
    const { model, version } = deployment.target;
    try {
      const host = await this.#options.startHost(deployment, signal);
      if (signal.aborted) {
        void this.#close(host);
        throw givenUp(deployment);
      }
      this.#take(deployment, host);
      this.#faults.get(model)?.delete(version);
    } catch (error) {
      if (signal.aborted) throw error;
      const faults = this.#faults.get(model) ?? new Map<string, string>();
      this.#faults.set(model, faults.set(version, causeMessageOf(error)));
      throw error;
    }
  }

  /** The fault of a version that is no longer wanted is forgotten. */
  #forgetFaults(model: string, wanted: readonly Deployment[]): void {
    const faults = this.#faults.get(model);
    const versions = new Set(wanted.map(({ target }) => target.version));
    for (const version of faults?.keys() ?? []) if (!versions.has(version)) faults?.delete(version);
    if (faults?.size === 0) this.#faults.delete(model);
  }

  #drop(deployment: Deployment): Promise<void> {
    const running = this.#leave(deployment);
    return running ? this.#close(running.host) : Promise.resolve();
  }

  #close(host: Host): Promise<void> {
    const closing = host
      .close()
      .catch((error: unknown) => this.#options.onInternalError('close host', error))
      .finally(() => this.#closing.delete(closing));
    this.#closing.set(closing, host.target.model);
    return closing;
  }
}

function givenUp({ target: { model, version } }: Deployment): ServeError {
  return new ServeError('version_not_ready', `${model} version ${version}: its load was given up`);
}
