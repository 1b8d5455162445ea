import type { Socket } from 'node:net';

import type { Clock } from '../core/clock.ts';

/**
 * Bytes of bodies and messages that are taken in one turn of the event loop, over all connections of both protocols: about half a
 * millisecond of its time. Without a bound the loop reads up to 2 MiB of each connection before it serves any other, and accepts one
 * new connection a turn.
 */
const TURN_BYTES = 262_144;

/** What one connection hands over until it can be held: one read. */
const READ_BYTES = 65_536;

/** A turn that took no longer had nothing else to do. */
const QUIET_MS = 0.1;

/** For as many times the time of the turn that read them, others come first while they have work. */
const OTHERS_PART = 2;

/** What is read from, and can be held. */
export type Source = {
  readonly hold: () => void;
  readonly release: () => void;
};

/**
 * Shares the reading of large requests fairly: once a turn of the event loop has had its bytes, a connection that brings more is
 * held. Held connections resume in order of arrival, as soon as the loop has nothing else to do, and at the latest when others
 * had twice the time. Meanwhile the kernel's buffers fill and TCP slows the sender, so a flood of large requests slows itself
 * down and leaves room for small ones. Nothing is refused here.
 */
export class Intake {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** The one that has waited longest first. */
  readonly #held = new Set<Source>();
  #turnBytes = 0;
  #isTurn = false;
  /** When the turn began. */
  #turnMs = 0;
  /** When held connections resume at the latest. Set by the first turn with bytes, and by no other until they have resumed. */
  #latestMs: number | undefined;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Connections that are held at present. */
  get held(): number {
    return this.#held.size;
  }

  /** Counts bytes that a source brought, and holds it where there have been enough in this turn. */
  took(bytes: number, source: Source): void {
    this.#turnBytes += bytes;
    this.#begin();
    if (this.#turnBytes <= TURN_BYTES || this.#held.has(source)) return;
    this.#held.add(source);
    source.hold();
  }

  /** It is closed. */
  leave(source: Source): void {
    this.#held.delete(source);
  }

  #begin(): void {
    if (this.#isTurn) return;
    this.#isTurn = true;
    this.#turnMs = this.#clock.monotonicMs();
    setImmediate(() => this.#end());
  }

  #end(): void {
    this.#isTurn = false;
    const nowMs = this.#clock.monotonicMs();
    const tookMs = nowMs - this.#turnMs;
    // Bytes of those that are not held would put it off for ever: small messages come in every turn.
    if (this.#turnBytes > 0) this.#latestMs ??= nowMs + OTHERS_PART * tookMs;
    this.#turnBytes = 0;
    if (tookMs <= QUIET_MS || nowMs >= (this.#latestMs ?? nowMs)) this.#release();
    if (this.#held.size === 0) this.#latestMs = undefined;
    if (this.#held.size > 0) this.#begin();
  }

  #release(): void {
    this.#latestMs = undefined;
    let room = TURN_BYTES / READ_BYTES;
    for (const source of this.#held) {
      if (room === 0) return;
      room -= 1;
      this.#held.delete(source);
      source.release();
    }
  }
}

/** What is reached for inside of a socket. */
type Inside = {
  readonly _handle?: {
    /** False while Node itself does not read. */
    readonly reading?: boolean;
    readonly readStop?: () => unknown;
    readonly readStart?: () => unknown;
  } | null;
};

/**
 * A connection as a source. Both of Node's servers read past the socket, straight from the system, so that its own `pause` changes
 * nothing. Where a later version looks different inside, nothing is held.
 */
export function sourceOf(socket: Socket): Source {
  const inside = socket as unknown as Inside;
  return {
    hold: () => inside._handle?.readStop?.(),
    release: () => {
      if (inside._handle?.reading !== false) inside._handle?.readStart?.();
    },
  };
}
