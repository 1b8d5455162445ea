import type { Arm } from '../core/route.ts';
import { settleAll } from '../core/settle-all.ts';
import type { ModelVersion } from '../core/version.ts';
import type { Host } from './host.ts';
import { planResidency, type Seat, seatKey, seatRoleOf } from './residency.ts';

export type FleetOptions = {
  /** Loads a version for a seat and resolves when it is ready; rejects with a ServeError if it cannot serve. */
  readonly startHost: (seat: Seat) => Promise<Host>;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

type Occupied = { readonly seat: Seat; readonly host: Host };

/**
 * All hosts of this gateway, by seat. Changing who sits where has two halves, with the change of route between them:
 * `prepare` makes every wanted seat ready and takes nothing away; `settle` drains and closes what is no longer wanted.
 */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #occupied = new Map<string, Occupied>();
  readonly #loading = new Map<string, Promise<void>>();
  readonly #closing = new Set<Promise<void>>();

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** The host that answers for an arm of a route: the seat of that arm, else any other seat of the same version. */
  find(target: ModelVersion, arm: Arm): Host | undefined {
    const exact = this.#occupied.get(seatKey({ target, role: seatRoleOf(arm) }));
    if (exact) return exact.host;
    for (const role of ['main', 'control', 'candidate'] as const) {
      const other = this.#occupied.get(seatKey({ target, role }));
      if (other) return other.host;
    }
    return undefined;
  }

  /** Every seat taken for a model, in no order. */
  seats(model: string): readonly Seat[] {
    return this.#all(model).map((occupied) => occupied.seat);
  }

  /** Makes every wanted seat of a model ready, keeping all others. Rejects if one cannot be loaded, once the rest is; that stays. */
  async prepare(model: string, wanted: readonly Seat[]): Promise<void> {
    const plan = planResidency(wanted, this.seats(model));
    for (const { from, to } of plan.moves) this.#move(from, to);
    await settleAll(plan.loads.map((seat) => this.#load(seat)));
  }

  /** Drains and closes the seats of a model that are not wanted. The route must not lead to them any more. */
  settle(model: string, wanted: readonly Seat[]): void {
    for (const seat of planResidency(wanted, this.seats(model)).drops) this.#drop(seat);
  }

  /** Drains and closes everything. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#loading.values());
    for (const { seat } of [...this.#occupied.values()]) this.#drop(seat);
    await Promise.all(this.#closing);
  }

  #all(model: string): readonly Occupied[] {
    return [...this.#occupied.values()].filter(({ seat }) => seat.target.model === model);
  }

  #move(from: Seat, to: Seat): void {
    const occupied = this.#occupied.get(seatKey(from));
    if (!occupied) return;
    this.#occupied.delete(seatKey(from));
    this.#occupied.set(seatKey(to), { seat: to, host: occupied.host });
  }

  #load(seat: Seat): Promise<void> {
    const key = seatKey(seat);
    const running = this.#loading.get(key);
    if (running !== undefined) return running;
    const loading = this.#options
      .startHost(seat)
      .then((host) => {
        this.#occupied.set(key, { seat, host });
      })
      .finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  #drop(seat: Seat): void {
    const occupied = this.#occupied.get(seatKey(seat));
    if (!occupied) return;
    this.#occupied.delete(seatKey(seat));
    const closing = occupied.host
      .close()
      .catch((error: unknown) => this.#options.onInternalError('close host', error))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
