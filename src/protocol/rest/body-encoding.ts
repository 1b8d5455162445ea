import type { Readable } from 'node:stream';
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';

import { ServeError } from '../../core/errors.ts';
import { type BodyOptions, type Done, readBody } from './body.ts';
import { ChunkCount } from './chunk-count.ts';

/** For the header `accept-encoding` of a refusal: what a body may be compressed with. */
export const ENCODINGS_SERVED = 'gzip, deflate';

export type Encoding = 'gzip' | 'deflate';

/** Inflated bytes that come back from the thread pool at a time. */
const CHUNK_BYTES = 65_536;

/** DEFLATE's number in the low half of the first byte of a zlib stream; nothing that writes it bare begins like that. */
const ZLIB_METHOD = 0x08;

/**
 * How a body is compressed, by its header `content-encoding`; undefined where it is not.
 * @throws ServeError `unsupported` for any other encoding, and for one on top of another.
 */
export function encodingOf(header: string | undefined): Encoding | undefined {
  if (header === undefined) return undefined;
  const names = header.split(',').map((name) => name.trim().toLowerCase());
  const [name, another] = names.filter((each) => each !== '' && each !== 'identity');
  if (name === undefined) return undefined;
  if (another === undefined) {
    if (name === 'gzip' || name === 'x-gzip') return 'gzip';
    if (name === 'deflate') return 'deflate';
  }
  throw new ServeError(
    'unsupported',
    `content-encoding is not served: expected one of gzip, deflate and identity, found '${header.slice(0, 80)}'`,
  );
}

/**
 * Reads a compressed body, inflated in the thread pool as it arrives. The limit counts inflated bytes, and what goes beyond
 * it is refused as soon as it does, so that a small body cannot become a huge one.
 */
export function readCompressedBody(
  stream: Readable,
  options: BodyOptions & { readonly encoding: Encoding },
  done: Done,
): void {
  const { encoding } = options;
  const stop = (): void => {
    stream.off('data', begin).off('end', onEmpty).off('close', onGone).off('error', onGone);
  };
  const onEmpty = (): void => {
    stop();
    done(notValid(encoding, 'an empty body'));
  };
  const onGone = (): void => {
    stop();
    done(new ServeError('cancelled', 'The caller went away'));
  };
  const begin = (first: Buffer): void => {
    stop();
    stream.pause();
    stream.unshift(first);
    inflate(stream, { ...options, first }, done);
  };
  stream.on('data', begin).on('end', onEmpty).on('close', onGone).on('error', onGone);
}

type Inflating = BodyOptions & { readonly encoding: Encoding; readonly first: Buffer };

function inflate(stream: Readable, options: Inflating, done: Done): void {
  const { encoding, bytesMax, first, memory, share, slicer } = options;
  const inflated = inflaterOf(encoding, first);
  let fault: ServeError | undefined;
  const onGone = (): void => {
    if (!stream.readableEnded) inflated.destroy();
  };
  inflated.on('error', (error) => {
    fault = notValid(encoding, error.message);
  });
  const chunks = new ChunkCount(stream);
  const onData = (piece: Buffer): void => {
    try {
      chunks.add(piece);
    } catch (thrown) {
      fault = ServeError.from(thrown);
      inflated.destroy();
    }
  };
  if (options.contentLength === undefined) stream.on('data', onData);
  stream.on('close', onGone).on('error', onGone).pipe(inflated);
  const read = { contentLength: undefined, bytesMax, memory, share, slicer };
  readBody(inflated, read, (error, body) => {
    stream.off('close', onGone).off('error', onGone).off('data', onData).unpipe(inflated);
    // What is left of the body is let through unread, as that of any refused request is.
    stream.on('error', () => undefined).resume();
    if (error !== null) inflated.destroy();
    done(error === null ? null : (fault ?? error), body);
  });
}

/** `deflate` means a zlib stream; some clients send it bare all the same. */
function inflaterOf(encoding: Encoding, first: Buffer) {
  const options = { chunkSize: CHUNK_BYTES };
  if (encoding === 'gzip') return createGunzip(options);
  const isZlib = ((first[0] ?? 0) & 0x0f) === ZLIB_METHOD;
  return isZlib ? createInflate(options) : createInflateRaw(options);
}

function notValid(encoding: Encoding, found: string): ServeError {
  return new ServeError(
    'invalid_input',
    `failed to inflate the request body: expected ${encoding} as its content-encoding says, found: ${found}`,
  );
}
