import type { Preparation } from '../core/preparation.ts';
import type { RefusedModel, RepositoryVersion } from '../core/repository-version.ts';
import type { Arm, Route } from '../core/route.ts';
import type { ModelVersion, VersionState } from '../core/version.ts';
import type { Host } from '../host/host.ts';
import type { ShadowHost, ShadowHostOptions } from '../host/shadow-host.ts';
import type { Catalog } from './catalog.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { DeployedVersion } from './deployed-version.ts';
import type { Deployer } from './deployer.ts';
import { type Deployment, planDeployments } from './deployment.ts';
import { deploymentsOf } from './deployments-of.ts';
import { LiveHosts } from './live-hosts.ts';
import { ShadowHosts, type ShadowTarget } from './shadow-hosts.ts';

export type DeploymentsOptions = {
  readonly catalog: Catalog;
  readonly deployer: Pick<Deployer, 'startHost' | 'startShadowHost'>;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** How what a route leads to is made ready. All of it has a default. */
export type DeployOptions = {
  /** What was read of the model; by default as the catalogue has it, and a reload gives what is to take its place. */
  readonly entry?: CatalogEntry | undefined;
  /** Whether also what only the model's policy keeps loaded has to be ready; by default it may fail. */
  readonly isStrict?: boolean;
  /** Gives up what is still being loaded, unless another caller waits for it too. */
  readonly signal?: AbortSignal | undefined;
};

/**
 * The versions at work, each in its role, kept in step with the routes: what a route needs is made ready before it is written
 * (`prepare`), and what it no longer needs is closed after (`reconcile`). Loads take as long as they take: no other call waits.
 */
export class Deployments {
  readonly #catalog: Catalog;
  readonly #live: LiveHosts;
  readonly #shadows: ShadowHosts;
  /** By model: the route that was reconciled last. */
  readonly #routes = new Map<string, Route>();
  /** By model: what a change under way leads to. */
  readonly #changing = new Map<string, Wanted>();
  readonly #states = new WeakMap<CatalogEntry, readonly RepositoryVersion[]>();

  constructor({ catalog, deployer, onInternalError }: DeploymentsOptions) {
    this.#catalog = catalog;
    this.#live = new LiveHosts({
      startHost: (deployment, signal) => deployer.startHost(deployment, signal),
      onInternalError,
    });
    this.#shadows = new ShadowHosts({
      startShadowHost: (target, signal) => {
        const stable = { model: target.model, version: target.twin };
        const form: ShadowHostOptions['stableForm'] = () =>
          this.#live.find(stable, 'stable')?.form();
        return deployer.startShadowHost(target, form, signal);
      },
      onInternalError,
    });
  }

  /**
   * Loads the route's versions that are not loaded yet, while the present ones serve. Rejects with a ServeError if one of them
   * cannot be loaded, once all loads have ended, or when the signal aborts: `reconcile` then closes the others.
   */
  async prepare(route: Route, options: DeployOptions = {}): Promise<void> {
    const { model } = route;
    const { entry = this.#catalog.entry(model), isStrict = false, signal } = options;
    const { required, resident } = deploymentsOf(route, entry);
    const optional = new Set(isStrict ? [] : resident);
    await this.#live.prepare(model, [...required, ...resident], {
      may: (deployment) => optional.has(deployment),
      signal,
    });
    // The shadow host last: unlike a live one, it replaces the present one immediately.
    await this.#shadows.prepare(model, shadowTargetOf(route, entry), signal);
  }

  /**
   * A change of a model: what it loads stays until its end, also while other routes are reconciled. One at a time for each model.
   */
  change(model: string, options: Omit<DeployOptions, 'signal'> = {}): Preparation {
    const entryNow = (): CatalogEntry | undefined => options.entry ?? this.#catalog.entry(model);
    return {
      prepare: (route) => {
        this.#changing.set(model, wantedOf(route, entryNow()));
        return this.prepare(route, options);
      },
      isPrepared: (route) => this.isPrepared(route, entryNow()),
      end: async () => {
        if (!this.#changing.delete(model)) return;
        const route = this.#routes.get(model);
        await (route === undefined ? this.remove(model) : this.reconcile(route));
      },
    };
  }

  /** Whether all is ready that the route leads to, as the model was read. */
  isPrepared(route: Route, entry = this.#catalog.entry(route.model)): boolean {
    const { required } = deploymentsOf(route, entry);
    const { loads, moves } = planDeployments(required, this.#live.deployments(route.model));
    const isLive = loads.length === 0 && moves.length === 0;
    return isLive && this.#shadows.isPrepared(route.model, shadowTargetOf(route, entry));
  }

  /**
   * Routes traffic to what the route leads to, and closes what neither it nor a change under way needs. Resolves when that is
   * closed; never rejects.
   */
  async reconcile(route: Route): Promise<void> {
    this.#routes.set(route.model, route);
    await this.#reconcile(route.model, wantedOf(route, this.#catalog.entry(route.model)));
  }

  /** As `reconcile`, of a model that no route leads to. */
  async remove(model: string): Promise<void> {
    this.#routes.delete(model);
    await this.#reconcile(model, NOTHING);
  }

  readonly find = (target: ModelVersion, arm: Arm): Host | undefined => {
    return this.#live.find(target, arm);
  };

  shadowHost(model: string, version: string): ShadowHost | undefined {
    return this.#shadows.find(model, version);
  }

  /** Where the anchor beside the shadow host of a version stands; undefined where there is none. */
  anchorState({ model, version }: ModelVersion): VersionState | undefined {
    return this.#shadows.find(model, version)?.anchor?.state();
  }

  /** Where the shadow host of a version stands; undefined where it has none. */
  shadowState({ model, version }: ModelVersion): VersionState | undefined {
    return this.#shadows.state(model, version);
  }

  /** Every version of a model that the repository holds, and where it stands. */
  readonly versions = (model: string): readonly RepositoryVersion[] => {
    const entry = this.#catalog.entry(model);
    if (entry === undefined) return [];
    const known = this.#states.get(entry);
    if (known !== undefined) return known;
    const states = [...entry.packages.values()].map(
      (found) =>
        new DeployedVersion(found, entry, {
          state: () => this.#stateOf(found),
          joining: () => this.#live.find(found, 'stable')?.joining(),
          provider: () => this.#live.find(found, 'stable')?.provider(),
        }),
    );
    this.#states.set(entry, states);
    return states;
  };

  /** Models of which no version can be read, with all that keeps them from it. */
  readonly refused = (): readonly RefusedModel[] =>
    this.#catalog
      .entries()
      .filter(({ packages, problems }) => packages.size === 0 && problems.length > 0)
      .map(({ model, problems }) => ({
        model,
        reason: problems
          .map(({ version, reason }) =>
            version === undefined ? reason : `version ${version}: ${reason}`,
          )
          .join('; '),
      }));

  /** Gives up all that is being loaded, and loads nothing any more. */
  abandonLoads(): void {
    this.#live.abandonLoads();
    this.#shadows.abandonLoads();
  }

  async close(): Promise<void> {
    await Promise.all([this.#live.close(), this.#shadows.close()]);
  }

  async #reconcile(model: string, wanted: Wanted): Promise<void> {
    const coming = this.#changing.get(model) ?? NOTHING;
    await Promise.all([
      this.#live.reconcile(model, wanted.live, coming.live),
      this.#shadows.reconcile(model, wanted.shadow ?? coming.shadow),
    ]);
  }

  #stateOf({ model, version }: ModelVersion): VersionState {
    const host = this.#live.find({ model, version }, 'stable');
    if (host !== undefined) return host.state();
    if (this.#live.isLoading({ model, version })) return LOADING;
    const reason = this.#live.fault({ model, version });
    return reason === undefined ? UNLOADED : { kind: 'failed', reason };
  }
}

/** What a route leads to. */
type Wanted = {
  readonly live: readonly Deployment[];
  readonly shadow: ShadowTarget | undefined;
};

const NOTHING: Wanted = { live: [], shadow: undefined };

function wantedOf(route: Route, entry: CatalogEntry | undefined): Wanted {
  const { required, resident } = deploymentsOf(route, entry);
  return { live: [...required, ...resident], shadow: shadowTargetOf(route, entry) };
}

const LOADING: VersionState = { kind: 'loading' };
const UNLOADED: VersionState = { kind: 'unloaded' };

function shadowTargetOf(
  { model, mirror, stable }: Route,
  entry: CatalogEntry | undefined,
): ShadowTarget | undefined {
  if (mirror === undefined) return undefined;
  const { version: candidate, anchor } = mirror;
  const all = [candidate, stable, ...(anchor === undefined ? [] : [anchor.version])];
  const build = all.map((version) => entry?.builds.get(version) ?? '').join(' ');
  return { model, candidate, twin: stable, anchor, build, entry };
}
