import type { Clock } from '../core/clock.ts';

/**
 * Max connections that wait to be accepted, for clients that reconnect together after a restart. Node's default is 511; nginx's
 * `backlog`. The kernel has a limit of its own, on Linux `net.core.somaxconn`.
 */
export const BACKLOG = 4_096;

/** A request that has been arriving for so long may be cut off to make room. Most have arrived by then. */
const ARRIVING_MS_MIN = 5_000;

/** Connections at work that are looked at for one that may be cut off. */
const LOOKS_MAX = 64;

/** A connection, as its protocol knows it. */
export type Connection = {
  /** Closes it without waiting. */
  readonly close: () => void;
  /** True while all that it has asked is still arriving: no work is done for it yet. */
  readonly isArriving: () => boolean;
};

type Held = { requests: number; sinceMs: number };

/**
 * The connections of one port, which are bounded. A new one beyond the bound takes the place of the one that
 * has been idle longest, so that unused connections never keep a caller waiting; where none is idle, of one whose
 * request does not come to its end.
 */
export class Connections {
  readonly #connectionsMax: number;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** Both with the one that has been like this longest first. */
  readonly #idle = new Map<Connection, Held>();
  readonly #busy = new Map<Connection, Held>();

  constructor(connectionsMax: number, clock: Pick<Clock, 'monotonicMs'>) {
    this.#connectionsMax = connectionsMax;
    this.#clock = clock;
  }

  get size(): number {
    return this.#idle.size + this.#busy.size;
  }

  /** Takes a connection in; false where all others are at work, and this one has to go. */
  enter(connection: Connection): boolean {
    if (this.size >= this.#connectionsMax && !this.#makeRoom()) return false;
    this.#idle.set(connection, { requests: 0, sinceMs: this.#clock.monotonicMs() });
    return true;
  }

  /** A request of it has begun. */
  begin(connection: Connection): void {
    const held = this.#idle.get(connection) ?? this.#busy.get(connection);
    if (held === undefined) return;
    held.requests += 1;
    if (!this.#idle.delete(connection)) return;
    held.sinceMs = this.#clock.monotonicMs();
    this.#busy.set(connection, held);
  }

  /** A request of it has been answered, or is over. */
  end(connection: Connection): void {
    const held = this.#busy.get(connection);
    if (held === undefined) return;
    held.requests -= 1;
    if (held.requests > 0) return;
    this.#busy.delete(connection);
    this.#idle.set(connection, held);
  }

  /** It is closed. */
  leave(connection: Connection): void {
    this.#idle.delete(connection);
    this.#busy.delete(connection);
  }

  #makeRoom(): boolean {
    const [unused] = this.#idle.keys();
    const least = unused ?? this.#longestArriving();
    if (least === undefined) return false;
    this.leave(least);
    least.close();
    return true;
  }

  #longestArriving(): Connection | undefined {
    const untilMs = this.#clock.monotonicMs() - ARRIVING_MS_MIN;
    let looks = 0;
    for (const [connection, { sinceMs }] of this.#busy) {
      if (sinceMs > untilMs || looks >= LOOKS_MAX) return undefined;
      if (connection.isArriving()) return connection;
      looks += 1;
    }
    return undefined;
  }
}
