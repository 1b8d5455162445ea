import { createGunzip, createInflate } from 'node:zlib';

import { ServeError } from '../../core/errors.ts';
import type { MemoryShare } from '../memory-budget.ts';

const INFLATERS = { gzip: createGunzip, deflate: createInflate } as const;

export type Encoding = keyof typeof INFLATERS;

export type InflateOptions = {
  readonly encoding: Encoding;
  /** Bytes of the inflated message. */
  readonly bytesMax: number;
  /** Holds what has been inflated. */
  readonly share: Pick<MemoryShare, 'take'>;
};

/** Inflated bytes that come back from the thread pool at a time. */
const CHUNK_BYTES = 65_536;

/** An encoding of gRPC by its name; undefined for those that inflate nothing. */
export function encodingNamed(name: string): Encoding | undefined {
  return Object.hasOwn(INFLATERS, name) ? (name as Encoding) : undefined;
}

/**
 * Inflates one message, and stops as soon as it is too large or all requests together hold too much.
 * @throws ServeError `too_large`, `memory_full`, or `invalid_input` where it is not compressed as it says.
 */
export function inflate(
  compressed: Buffer,
  { encoding, bytesMax, share }: InflateOptions,
): Promise<Buffer> {
  const inflater = INFLATERS[encoding]({ chunkSize: CHUNK_BYTES });
  const pieces: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const stop = (error: unknown): void => {
      inflater.destroy();
      reject(error);
    };
    inflater.on('data', (piece: Buffer) => {
      bytes += piece.byteLength;
      if (bytes > bytesMax) {
        stop(tooLarge(bytesMax));
        return;
      }
      try {
        share.take(piece.byteLength);
        pieces.push(piece);
      } catch (full) {
        stop(full);
      }
    });
    inflater.on('error', ({ message }) => stop(notValid(encoding, message)));
    inflater.on('end', () => resolve(Buffer.concat(pieces, bytes)));
    inflater.end(compressed);
  });
}

function tooLarge(bytesMax: number): ServeError {
  return new ServeError(
    'too_large',
    `the message is over the limit: expected at most ${bytesMax} bytes, found more once it was inflated`,
  );
}

function notValid(encoding: Encoding, found: string): ServeError {
  return new ServeError(
    'invalid_input',
    `failed to inflate the message: expected ${encoding} as its grpc-encoding says, found: ${found}`,
  );
}
