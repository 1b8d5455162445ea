import type { Readable } from 'node:stream';
import {
  Busboy,
  type BusboyFileStream,
  type BusboyHeaders,
  type BusboyInstance,
} from '@fastify/busboy';
import type { FastifyRequest } from 'fastify';

import { messageOf, ServeError } from '../../core/errors.ts';
import type { MemoryShare } from '../memory-budget.ts';
import { ChunkCount } from '../rest/chunk-count.ts';
import type { ShareOf } from '../rest/memory-shares.ts';
import { Pieces } from '../rest/pieces.ts';

/** What came in a form; undefined: no file in any of the fields that take one. */
export type Upload = { readonly image: Uint8Array | undefined };

/** Fields that take the image: most models call it `image`, some `file`. */
const IMAGE_FIELDS: readonly string[] = ['image', 'file'];

/** Limits of the form's fields other than the image, which may take the whole body. */
const FORM_LIMITS = {
  files: 4,
  fields: 16,
  parts: 16,
  fieldNameSize: 256,
  fieldSize: 65_536,
  headerPairs: 32,
  headerSize: 8_192,
};

/** A parser for bodies of `multipart/form-data`; collects the image, and drops all else as it comes. */
export function createUploadParser(bytesMax: number, shareOf: ShareOf) {
  return async (request: FastifyRequest, payload: Readable): Promise<Upload> => {
    const { headers } = request;
    const claimed = Number(headers['content-length'] ?? 0);
    if (claimed > bytesMax) throw tooLarge(bytesMax, claimed);
    const chunks = headers['content-length'] === undefined ? new ChunkCount(payload) : undefined;
    const room = { bytesMax, chunks, share: shareOf(request.raw) };
    return await readForm(payload, headers as BusboyHeaders, room);
  };
}

/** What the form may be, and what all requests may hold together. */
type Room = {
  readonly bytesMax: number;
  readonly chunks: ChunkCount | undefined;
  readonly share: Pick<MemoryShare, 'take'>;
};

/** Ends as soon as the form does, or as soon as it is clear that it is invalid. */
function readForm(
  payload: Readable,
  headers: BusboyHeaders,
  { bytesMax, chunks, share }: Room,
): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const form = openForm(headers);
    const image = collectImage(form);
    let found = 0;
    const onData = (piece: Buffer): void => {
      found += piece.byteLength;
      if (found > bytesMax) {
        fail(tooLarge(bytesMax, found));
        return;
      }
      try {
        chunks?.add(piece);
        share.take(piece.byteLength);
      } catch (full) {
        fail(ServeError.from(full));
        return;
      }
      form.write(piece);
    };
    const onEnd = (): void => {
      stopReading();
      form.end();
    };
    const onGone = (): void => fail(new ServeError('cancelled', 'The caller went away'));
    const stopReading = (): void => {
      payload.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
    };
    const fail = (error: ServeError): void => {
      stopReading();
      reject(error);
    };
    const refuse = (thrown: unknown): void => fail(invalid(messageOf(thrown)));
    form.on('error', refuse);
    for (const limit of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) {
      form.on(limit, () => refuse(`more parts than the ${FORM_LIMITS.parts} that a form may have`));
    }
    form.on('finish', () => resolve({ image: image() }));
    payload.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}

function openForm(headers: BusboyHeaders): BusboyInstance {
  try {
    return new Busboy({ headers, limits: FORM_LIMITS });
  } catch (thrown) {
    throw invalid(messageOf(thrown));
  }
}

/** Gives the first file in a field for images, once the form has ended. An empty file is a file. */
function collectImage(form: BusboyInstance): () => Uint8Array | undefined {
  let pieces: Pieces | undefined;
  form.on('file', (field: string, file: BusboyFileStream) => {
    // The form's own listener hears of it.
    file.on('error', () => undefined);
    if (pieces !== undefined || !IMAGE_FIELDS.includes(field)) {
      file.resume();
      return;
    }
    const mine = new Pieces();
    pieces = mine;
    file.on('data', (piece: Buffer) => mine.add(piece));
  });
  return () => pieces && Buffer.concat(pieces.all());
}

function tooLarge(bytesMax: number, found: number): ServeError {
  return new ServeError(
    'too_large',
    `request body is over the limit: expected at most ${bytesMax} bytes, found ${found}`,
  );
}

function invalid(found: string): ServeError {
  return new ServeError('invalid_input', `expected multipart/form-data, found: ${found}`);
}
