import { type Config, modelConfig } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { ServeError } from '../core/errors.ts';
import type { ModelVersion } from '../core/version.ts';
import { type Host, type HostListeners, startHost } from '../host/host.ts';
import { type Lane, startLane } from '../host/lane.ts';
import type { Seat, SeatRole } from '../host/residency.ts';
import type { Source } from '../runtime/runtime.ts';
import type { Catalog } from './catalog.ts';
import { instancesOf } from './instances.ts';
import type { LaneTarget } from './lanes.ts';

/**
 * The shadow lane yields to everything that answers people: the lowest priority short of idle, given at birth. Two replicas'
 * worth of requests may wait in it; the mirror bounds what it sends.
 */
const LANE_NICE = 15;

/** A load that takes longer than this hangs. Gigabytes of weights from a slow disk take less. */
const LOAD_MS_MAX = 120_000;

export type PlacementOptions = {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** For the seats of one role, or for the shadow lane. */
  readonly listeners: (role: SeatRole | 'shadow') => HostListeners;
};

/** Starts hosts and lanes for versions of the repository, as the configuration wants them run. */
export class Placement {
  readonly #options: PlacementOptions;

  constructor(options: PlacementOptions) {
    this.#options = options;
  }

  /** All seats of a model are alike but for the version, so that arms can be compared. */
  async startHost({ target, role }: Seat): Promise<Host> {
    const { config, clock, listeners } = this.#options;
    const { instances, batch, queue, execution } = modelConfig(config, target.model);
    const { replicas } = instancesOf(instances);
    return await startHost({
      target,
      source: this.#sourceOf(target),
      tier: execution.isolation,
      nice: 0,
      replicas,
      batch,
      queue: { requestsMax: queue.requestsMax, bytesMax: queue.bytesMax },
      runMsMax: execution.runMsMax,
      loadMsMax: LOAD_MS_MAX,
      clock,
      listeners: listeners(role),
    });
  }

  async startLane({ model, candidate, twin }: LaneTarget): Promise<Lane> {
    const { config, clock, listeners } = this.#options;
    const { batch, queue, execution } = modelConfig(config, model);
    return await startLane({
      candidate: this.#sourceOf({ model, version: candidate }),
      twin: this.#sourceOf({ model, version: twin }),
      nice: LANE_NICE,
      queue: { requestsMax: queue.requestsMax, bytesMax: queue.bytesMax },
      batchRowsMax: batch.rowsMax,
      runMsMax: execution.runMsMax,
      loadMsMax: LOAD_MS_MAX,
      clock,
      listeners: listeners('shadow'),
    });
  }

  #sourceOf(target: ModelVersion): Source {
    const { config, catalog } = this.#options;
    const { model, version } = target;
    const [file] = catalog.find(target)?.models ?? [];
    if (file === undefined) {
      const found = catalog.versions(model).map((each) => `'${each.version}'`);
      throw new ServeError(
        'version_not_ready',
        `'${model}' version '${version}' is not in the repository. Found ${found.join(', ') || 'none'}`,
      );
    }
    const { instances, execution } = modelConfig(config, model);
    return {
      model,
      version,
      file: file.file,
      runtime: 'onnx',
      providers: execution.providers,
      strict: execution.strict,
      intraOpThreads: instancesOf(instances).intraOpThreads,
    };
  }
}
