import type { Readable } from 'node:stream';
import { runSliced, type SlicedTask, type TimeSlicer } from '../../concurrency/time-slicer.ts';
import { ServeError } from '../../core/errors.ts';
import type { MemoryShare } from '../memory-budget.ts';
import type { BodyMemory } from './body-memory.ts';
import { ChunkCount } from './chunk-count.ts';
import { Pieces } from './pieces.ts';

export type BodyOptions = {
  /** The header `content-length`; undefined for chunked bodies. */
  readonly contentLength: string | undefined;
  readonly bytesMax: number;
  /** Where the memory for a body of known length comes from. */
  readonly memory: BodyMemory;
  /** What the request may hold, of all that requests may hold together. */
  readonly share: MemoryShare;
  /** Where a long body of many pieces is joined. */
  readonly slicer: TimeSlicer;
};

export type Done = (error: Error | null, body?: Buffer) => void;

/**
 * Collects a body with one copy. Where its length is known the pieces go to their place as they arrive, else they are joined
 * in slices at the end: a large body is never copied in one go. Memory that a false length claims counts, but it is not touched, and
 * so never taken from the system.
 */
export function readBody(stream: Readable, options: BodyOptions, done: Done): void {
  const { bytesMax, memory, share, slicer } = options;
  const claimed = Number(options.contentLength ?? 0);
  if (claimed > bytesMax) {
    done(tooLarge(bytesMax, `${claimed}`));
    return;
  }
  try {
    // Where it does not fit nothing of it is received; what has been let in can come to its end.
    share.take(claimed);
  } catch (full) {
    done(ServeError.from(full));
    return;
  }
  const collector =
    options.contentLength === undefined
      ? new Joined(slicer, share)
      : new Place(memory.take(claimed));
  const chunks = options.contentLength === undefined ? new ChunkCount(stream) : undefined;
  let found = 0;
  const onData = (piece: Buffer): void => {
    found += piece.byteLength;
    if (found > bytesMax) {
      settle(tooLarge(bytesMax, `${found} or more`));
      return;
    }
    try {
      chunks?.add(piece);
      collector.add(piece);
    } catch (refusal) {
      settle(ServeError.from(refusal));
    }
  };
  const onEnd = (): void => settle(null);
  const onGone = (): void => settle(new ServeError('cancelled', 'The caller went away'));
  const settle = (error: Error | null): void => {
    stream.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
    if (error === null) {
      collector.deliver(done);
      return;
    }
    collector.abandon(memory);
    done(error);
  };
  stream.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
}

function tooLarge(bytesMax: number, found: string): ServeError {
  return new ServeError(
    'too_large',
    `request body is over the limit: expected at most ${bytesMax} bytes, found ${found}`,
  );
}

/** A body of known length. */
class Place {
  readonly #target: Buffer;
  #at = 0;

  constructor(target: Buffer) {
    this.#target = target;
  }

  add(piece: Buffer): void {
    this.#target.set(piece, this.#at);
    this.#at += piece.byteLength;
  }

  abandon(memory: BodyMemory): void {
    memory.abandon(this.#target);
  }

  deliver(done: Done): void {
    const isWhole = this.#at === this.#target.byteLength;
    done(null, isWhole ? this.#target : this.#target.subarray(0, this.#at));
  }
}

/** A body of unknown length. */
class Joined {
  readonly #pieces = new Pieces();
  readonly #slicer: TimeSlicer;
  readonly #share: MemoryShare;

  constructor(slicer: TimeSlicer, share: MemoryShare) {
    this.#slicer = slicer;
    this.#share = share;
  }

  /** @throws ServeError `memory_full`. */
  add(piece: Buffer): void {
    this.#share.take(piece.byteLength);
    this.#pieces.add(piece);
  }

  abandon(): void {
    // The pieces are the engine's.
  }

  deliver(done: Done): void {
    const pieces = this.#pieces.all();
    const [first, second] = pieces;
    if (first !== undefined && second === undefined) {
      done(null, first);
      return;
    }
    // Until they are joined the pieces are there twice.
    const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    try {
      this.#share.take(bytes);
    } catch (full) {
      done(ServeError.from(full));
      return;
    }
    const join = new Join(pieces, bytes);
    const joined = (): void => {
      this.#share.give(bytes);
      done(null, join.target);
    };
    runSliced(join, this.#slicer).then(joined, done);
  }
}

/** Bytes copied in the time of one of JSON that is read. */
const COPY_SPEED = 16;

/** Puts pieces behind one another, a bounded number of bytes at a time: tens of megabytes take tens of milliseconds. */
class Join implements SlicedTask {
  readonly target: Buffer;
  readonly #pieces: readonly Buffer[];
  #next = 0;
  #at = 0;

  constructor(pieces: readonly Buffer[], bytes: number) {
    this.#pieces = pieces;
    this.target = Buffer.allocUnsafe(bytes);
  }

  step(budgetBytes: number): boolean {
    const until = this.#at + budgetBytes * COPY_SPEED;
    while (this.#at < until) {
      const piece = this.#pieces[this.#next];
      if (piece === undefined) return true;
      this.target.set(piece, this.#at);
      this.#at += piece.byteLength;
      this.#next += 1;
    }
    return this.#next === this.#pieces.length;
  }
}
