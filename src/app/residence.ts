import type { Arm, Route } from '../core/route.ts';
import { settleAll } from '../core/settle-all.ts';
import type { ModelVersion } from '../core/version.ts';
import type { ModelVersionState, ServingFacts } from '../gateway/version-names.ts';
import { Fleet } from '../host/fleet.ts';
import type { Host } from '../host/host.ts';
import type { Lane } from '../host/lane.ts';
import type { Catalog } from './catalog.ts';
import { Lanes } from './lanes.ts';
import type { Placement } from './placement.ts';
import { seatsOf } from './seats-of.ts';

export type ResidenceOptions = {
  readonly catalog: Catalog;
  readonly facts: (model: string) => ServingFacts;
  readonly placement: Placement;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/**
 * Everything that runs models, kept in step with the routes: what a route needs is made ready before it is written
 * (`prepare`), and what it no longer needs is closed after (`settle`).
 */
export class Residence {
  readonly #catalog: Catalog;
  readonly #facts: (model: string) => ServingFacts;
  readonly #fleet: Fleet;
  readonly #lanes: Lanes;

  constructor({ catalog, facts, placement, onInternalError }: ResidenceOptions) {
    this.#catalog = catalog;
    this.#facts = facts;
    this.#fleet = new Fleet({ startHost: (seat) => placement.startHost(seat), onInternalError });
    this.#lanes = new Lanes({
      startLane: (target) => placement.startLane(target),
      onInternalError,
    });
  }

  /** Loads what the route leads to and is not there yet. Rejects with a ServeError if something cannot be loaded, once all is done. */
  async prepare(route: Route): Promise<void> {
    await settleAll([this.#fleet.prepare(route.model, seatsOf(route)), this.#lanes.prepare(route)]);
  }

  settle(route: Route): void {
    this.#fleet.settle(route.model, seatsOf(route));
    this.#lanes.settle(route);
  }

  readonly find = (target: ModelVersion, arm: Arm): Host | undefined => {
    return this.#fleet.find(target, arm);
  };

  lane(model: string, version: string): Lane | undefined {
    return this.#lanes.find(model, version);
  }

  /** Every version of a model that the repository holds, and where it stands. */
  readonly versions = (model: string): readonly ModelVersionState[] => {
    return this.#catalog.versions(model).map(({ version, signature }) => ({
      version,
      signature,
      life: this.#fleet.find({ model, version }, 'stable')?.life() ?? { kind: 'unloaded' },
      platform: 'onnxruntime_onnx',
      labels: new Map(),
      facts: this.#facts(model),
    }));
  };

  async close(): Promise<void> {
    await Promise.all([this.#fleet.close(), this.#lanes.close()]);
  }
}
