import type { Readable } from 'node:stream';

import { ServeError } from '../../core/errors.ts';

export type BodyOptions = {
  /** The header `content-length`; undefined for chunked bodies. */
  readonly contentLength: string | undefined;
  readonly bytesMax: number;
};

export type Done = (error: Error | null, body?: Buffer) => void;

/**
 * Collects a body with one copy, piece by piece as it arrives: where its length is known the pieces go to their place at once,
 * so a large body is never joined in one go. Memory that a false length claims is not touched, and so never taken.
 */
export function readBody(stream: Readable, options: BodyOptions, done: Done): void {
  const { bytesMax } = options;
  const claimed = Number(options.contentLength ?? 0);
  if (claimed > bytesMax) {
    done(tooLarge(bytesMax, `${claimed}`));
    return;
  }
  const collector = options.contentLength === undefined ? new Pieces() : new Place(claimed);
  let found = 0;
  const onData = (piece: Buffer): void => {
    found += piece.byteLength;
    if (found <= bytesMax) collector.add(piece);
    else settle(tooLarge(bytesMax, `${found} or more`));
  };
  const onEnd = (): void => settle(null);
  const onGone = (): void => settle(new ServeError('cancelled', 'The caller went away'));
  const settle = (error: Error | null): void => {
    stream.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
    if (error === null) done(null, collector.body());
    else done(error);
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

  constructor(bytes: number) {
    this.#target = Buffer.allocUnsafe(bytes);
  }

  add(piece: Buffer): void {
    this.#target.set(piece, this.#at);
    this.#at += piece.byteLength;
  }

  body(): Buffer {
    return this.#at === this.#target.byteLength ? this.#target : this.#target.subarray(0, this.#at);
  }
}

/** A body of unknown length. */
class Pieces {
  readonly #pieces: Buffer[] = [];

  add(piece: Buffer): void {
    this.#pieces.push(piece);
  }

  body(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}
