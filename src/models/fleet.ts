import { settleAll } from '../concurrency/settle-all.ts';
import { causeMessageOf, ServeError } from '../core/errors.ts';
import type { Arm } from '../core/route.ts';
import type { ModelVersion } from '../core/version.ts';
import type { Host } from '../host/host.ts';
import {
  placeKey,
  planResidency,
  type Seat,
  type SeatRole,
  seatKey,
  seatRoleOf,
} from './residency.ts';

export type FleetOptions = {
  /**
   * Loads a version for a seat and resolves when it is ready; rejects with a ServeError if it cannot serve, or once the signal
   * says that it is no longer wanted.
   */
  readonly startHost: (seat: Seat, signal: AbortSignal) => Promise<Host>;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

type Load = {
  readonly target: ModelVersion;
  readonly done: Promise<void>;
  readonly cancel: AbortController;
  /** Those who wait for it and have not given it up. */
  wanted: number;
};

export type Preparation = {
  /** Seats that may be missing in the end; by default none. */
  readonly may?: (seat: Seat) => boolean;
  /** Gives up what is still being loaded, unless somebody else waits for it too. */
  readonly signal?: AbortSignal | undefined;
};
type Occupied = { readonly seat: Seat; readonly host: Host };

/** In the order in which they stand in for one another. */
const ROLES: readonly SeatRole[] = ['main', 'control', 'candidate'];

/**
 * All hosts of this gateway, by seat. Changing who sits where has two halves, with the change of route between them:
 * `prepare` makes every wanted seat ready and takes nothing away; `settle` routes traffic to what is wanted, then drains and
 * closes the rest. A new build of a version waits beside the old one from the first to the second.
 */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #occupied = new Map<string, Occupied>();
  /** By place: the one of its builds that gets the traffic. */
  readonly #serving = new Map<string, Occupied>();
  readonly #loading = new Map<string, Load>();
  readonly #closing = new Set<Promise<void>>();
  /** By model, then by version: why the last load failed. */
  readonly #faults = new Map<string, Map<string, string>>();
  #isClosed = false;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** The host that answers for an arm of a route: the seat of that arm, else any other seat of the same version. */
  find(target: ModelVersion, arm: Arm): Host | undefined {
    const exact = this.#serving.get(placeKey(target, seatRoleOf(arm)));
    if (exact) return exact.host;
    for (const role of ROLES) {
      const other = this.#serving.get(placeKey(target, role));
      if (other) return other.host;
    }
    return undefined;
  }

  /** Why a version could not be loaded when that was last tried; undefined: it could, or it is not wanted. */
  fault({ model, version }: ModelVersion): string | undefined {
    return this.#faults.get(model)?.get(version);
  }

  /** Whether a version is being loaded for a seat. */
  isLoading({ model, version }: ModelVersion): boolean {
    return [...this.#loading.values()].some(
      ({ target }) => target.model === model && target.version === version,
    );
  }

  /** Every seat taken for a model, in no order. */
  seats(model: string): readonly Seat[] {
    return this.#all(model).map((occupied) => occupied.seat);
  }

  /**
   * Makes every wanted seat of a model ready, keeping all others. Rejects if one cannot be loaded, once the rest is; that
   * stays. Seats that only `may` be there are loaded too, and their failure is no error.
   */
  async prepare(
    model: string,
    wanted: readonly Seat[],
    { may = () => false, signal }: Preparation = {},
  ): Promise<void> {
    const plan = planResidency(wanted, this.seats(model));
    for (const { from, to } of plan.moves) this.#move(from, to);
    await settleAll(
      plan.loads.map((seat) => {
        const loading = this.#load(seat, signal);
        // Listeners of the host are called, and `fault` says why.
        return may(seat) ? loading.catch(() => undefined) : loading;
      }),
    );
  }

  /**
   * Routes traffic to the wanted seats, as far as they are there, and closes all others of the model; the route must not lead
   * to those any more. Resolves when they have answered what they had; never rejects.
   */
  async settle(model: string, wanted: readonly Seat[]): Promise<void> {
    for (const seat of wanted) {
      const occupied = this.#occupied.get(seatKey(seat));
      if (occupied) this.#serving.set(placeKey(seat.target, seat.role), occupied);
    }
    const { drops } = planResidency(wanted, this.seats(model));
    this.#forgetFaults(model, wanted);
    await Promise.all(drops.map((seat) => this.#drop(seat)));
  }

  /** Gives up all that is being loaded, and loads nothing any more. */
  abandonLoads(): void {
    this.#isClosed = true;
    for (const { cancel } of this.#loading.values()) cancel.abort();
  }

  /** Drains and closes everything. */
  async close(): Promise<void> {
    this.abandonLoads();
    await Promise.allSettled([...this.#loading.values()].map(({ done }) => done));
    for (const { seat } of [...this.#occupied.values()]) void this.#drop(seat);
    await Promise.all(this.#closing);
  }

  #all(model: string): readonly Occupied[] {
    return [...this.#occupied.values()].filter(({ seat }) => seat.target.model === model);
  }

  #move(from: Seat, to: Seat): void {
    const occupied = this.#leave(from);
    if (occupied) this.#take(to, occupied.host);
  }

  /** Who comes to a place where nobody sits is sent people at once. */
  #take(seat: Seat, host: Host): void {
    const occupied = { seat, host };
    const place = placeKey(seat.target, seat.role);
    this.#occupied.set(seatKey(seat), occupied);
    if (!this.#serving.has(place)) this.#serving.set(place, occupied);
  }

  #leave(seat: Seat): Occupied | undefined {
    const occupied = this.#occupied.get(seatKey(seat));
    this.#occupied.delete(seatKey(seat));
    const place = placeKey(seat.target, seat.role);
    if (this.#serving.get(place) === occupied) this.#serving.delete(place);
    return occupied;
  }

  async #load(seat: Seat, signal: AbortSignal | undefined): Promise<void> {
    if (this.#isClosed) throw givenUp(seat);
    const load = this.#loading.get(seatKey(seat)) ?? this.#begin(seat);
    load.wanted += 1;
    const giveUp = (): void => {
      load.wanted -= 1;
      if (load.wanted === 0) load.cancel.abort();
    };
    if (signal?.aborted) giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    await load.done.finally(() => signal?.removeEventListener('abort', giveUp));
  }

  #begin(seat: Seat): Load {
    const key = seatKey(seat);
    const cancel = new AbortController();
    const done = this.#start(seat, cancel.signal).finally(() => this.#loading.delete(key));
    const load = { target: seat.target, done, cancel, wanted: 0 };
    this.#loading.set(key, load);
    return load;
  }

  async #start(seat: Seat, signal: AbortSignal): Promise<void> {
    const { model, version } = seat.target;
    try {
      const host = await this.#options.startHost(seat, signal);
      if (signal.aborted) {
        void this.#close(host);
        throw givenUp(seat);
      }
      this.#take(seat, host);
      this.#faults.get(model)?.delete(version);
    } catch (error) {
      if (signal.aborted) throw error;
      const faults = this.#faults.get(model) ?? new Map<string, string>();
      this.#faults.set(model, faults.set(version, causeMessageOf(error)));
      throw error;
    }
  }

  /** The fault of a version that is no longer wanted is forgotten. */
  #forgetFaults(model: string, wanted: readonly Seat[]): void {
    const faults = this.#faults.get(model);
    const versions = new Set(wanted.map((seat) => seat.target.version));
    for (const version of faults?.keys() ?? []) if (!versions.has(version)) faults?.delete(version);
    if (faults?.size === 0) this.#faults.delete(model);
  }

  #drop(seat: Seat): Promise<void> {
    const occupied = this.#leave(seat);
    return occupied ? this.#close(occupied.host) : Promise.resolve();
  }

  #close(host: Host): Promise<void> {
    const closing = host
      .close()
      .catch((error: unknown) => this.#options.onInternalError('close host', error))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    return closing;
  }
}

function givenUp({ target: { model, version } }: Seat): ServeError {
  return new ServeError('version_not_ready', `${model} version ${version}: its load was given up`);
}
