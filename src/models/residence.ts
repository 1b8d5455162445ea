import type { Arm, Route } from '../core/route.ts';
import type { Life, ModelVersion } from '../core/version.ts';
import type { ModelVersionState, RefusedModel } from '../core/version-state.ts';
import type { Host } from '../host/host.ts';
import type { Lane } from '../host/lane.ts';
import type { Catalog } from './catalog.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { Fleet } from './fleet.ts';
import { Lanes, type LaneTarget } from './lanes.ts';
import type { Placement } from './placement.ts';
import { planResidency } from './residency.ts';
import { ResidentVersion } from './resident-version.ts';
import { seatsOf } from './seats-of.ts';

export type ResidenceOptions = {
  readonly catalog: Catalog;
  readonly placement: Pick<Placement, 'startHost' | 'startLane'>;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/**
 * Everything that runs models, kept in step with the routes: what a route needs is made ready before it is written
 * (`prepare`), and what it no longer needs is closed after (`settle`). For one model these come one after the other.
 */
export class Residence {
  readonly #catalog: Catalog;
  readonly #fleet: Fleet;
  readonly #lanes: Lanes;
  /** By model: what was reloaded, while it is being made ready beside what is served. */
  readonly #coming = new Map<string, CatalogEntry>();
  readonly #states = new WeakMap<CatalogEntry, readonly ModelVersionState[]>();

  constructor({ catalog, placement, onInternalError }: ResidenceOptions) {
    this.#catalog = catalog;
    const entryOf = (model: string): CatalogEntry | undefined =>
      this.#coming.get(model) ?? catalog.entry(model);
    this.#fleet = new Fleet({
      startHost: async (target, signal) =>
        placement.startHost({ target, entry: entryOf(target.target.model) }, signal),
      onInternalError,
    });
    this.#lanes = new Lanes({
      startLane: async (target, signal) =>
        placement.startLane(
          { target, entry: entryOf(target.model) },
          () => this.#fleet.find({ model: target.model, version: target.twin }, 'stable')?.form(),
          signal,
        ),
      onInternalError,
    });
  }

  /**
   * Loads what the route leads to and is not there yet. Rejects with a ServeError if something of it cannot be loaded, once
   * all is done, or once the signal gives it up. What only the model's policy keeps loaded may fail.
   */
  async prepare(route: Route, signal?: AbortSignal): Promise<void> {
    await this.#prepare(route, this.#catalog.entry(route.model), signal);
  }

  /** Whether all is there that the route leads to. */
  isPrepared(route: Route): boolean {
    const entry = this.#catalog.entry(route.model);
    const { required } = seatsOf(route, entry);
    const { loads, moves } = planResidency(required, this.#fleet.seats(route.model));
    const isSeated = loads.length === 0 && moves.length === 0;
    return isSeated && this.#lanes.isPrepared(route.model, laneTargetOf(route, entry));
  }

  /**
   * Loads what the route leads to as it was reloaded, beside what is served of it now. Rejects if anything of it cannot be
   * loaded: `settle` then closes what could be.
   */
  async prepareAnew(route: Route, entry: CatalogEntry): Promise<void> {
    const { model } = route;
    const { required, resident } = seatsOf(route, entry);
    this.#coming.set(model, entry);
    try {
      await this.#fleet.prepare(model, [...required, ...resident]);
      // The lane last: unlike a seat, it takes the place of the one there at once.
      await this.#lanes.prepare(model, laneTargetOf(route, entry));
    } finally {
      this.#coming.delete(model);
    }
  }

  /**
   * As `prepareAnew`, for what was read before and is to be run otherwise. What only the model's policy keeps loaded may fail, as
   * it may at a start.
   */
  async prepareAgain(route: Route, entry: CatalogEntry): Promise<void> {
    this.#coming.set(route.model, entry);
    try {
      await this.#prepare(route, entry);
    } finally {
      this.#coming.delete(route.model);
    }
  }

  /** Routes traffic to what the route leads to and closes all else. Resolves when that is closed; never rejects. */
  async settle(route: Route): Promise<void> {
    const entry = this.#catalog.entry(route.model);
    const { required, resident } = seatsOf(route, entry);
    await Promise.all([
      this.#fleet.settle(route.model, [...required, ...resident]),
      this.#lanes.settle(route.model, laneTargetOf(route, entry)),
    ]);
  }

  /** Closes all that runs of a model that no route leads to. Resolves when it is closed; never rejects. */
  async vacate(model: string): Promise<void> {
    await Promise.all([this.#fleet.settle(model, []), this.#lanes.settle(model, undefined)]);
  }

  readonly find = (target: ModelVersion, arm: Arm): Host | undefined => {
    return this.#fleet.find(target, arm);
  };

  lane(model: string, version: string): Lane | undefined {
    return this.#lanes.find(model, version);
  }

  /** Where the shadow lane of a version stands; undefined where it has none. */
  shadowLife({ model, version }: ModelVersion): Life | undefined {
    return this.#lanes.life(model, version);
  }

  /** Every version of a model that the repository holds, and where it stands. */
  readonly versions = (model: string): readonly ModelVersionState[] => {
    const entry = this.#catalog.entry(model);
    if (entry === undefined) return [];
    const known = this.#states.get(entry);
    if (known !== undefined) return known;
    const states = [...entry.packages.values()].map(
      (found) =>
        new ResidentVersion(found, entry, {
          life: () => this.#lifeOf(found),
          joining: () => this.#fleet.find(found, 'stable')?.joining(),
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
    this.#fleet.abandonLoads();
    this.#lanes.abandonLoads();
  }

  async close(): Promise<void> {
    await Promise.all([this.#fleet.close(), this.#lanes.close()]);
  }

  async #prepare(
    route: Route,
    entry: CatalogEntry | undefined,
    signal?: AbortSignal,
  ): Promise<void> {
    const { model } = route;
    const { required, resident } = seatsOf(route, entry);
    const may = new Set(resident);
    await this.#fleet.prepare(model, [...required, ...resident], {
      may: (seat) => may.has(seat),
      signal,
    });
    await this.#lanes.prepare(model, laneTargetOf(route, entry), signal);
  }

  #lifeOf({ model, version }: ModelVersion): Life {
    const host = this.#fleet.find({ model, version }, 'stable');
    if (host !== undefined) return host.life();
    if (this.#fleet.isLoading({ model, version })) return LOADING;
    const reason = this.#fleet.fault({ model, version });
    return reason === undefined ? UNLOADED : { kind: 'failed', reason };
  }
}

const LOADING: Life = { kind: 'loading' };
const UNLOADED: Life = { kind: 'unloaded' };

function laneTargetOf(
  { model, mirror, stable }: Route,
  entry: CatalogEntry | undefined,
): LaneTarget | undefined {
  if (mirror === undefined) return undefined;
  const builds = [mirror.version, stable].map((version) => entry?.builds.get(version) ?? '');
  return { model, candidate: mirror.version, twin: stable, build: builds.join(' ') };
}
