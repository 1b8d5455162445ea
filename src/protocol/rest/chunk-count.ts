import type { FastifyInstance } from 'fastify';

import { ServeError } from '../../core/errors.ts';
import { stopReading } from './stop-reading.ts';

/** Chunks of a body that may be of any size. Some clients send a line, or a number, at a time. */
const CHUNKS_FREE = 4_096;

/** Beyond those, what chunks hold on average at least: each costs about a microsecond, for any content. */
const CHUNK_BYTES_MIN = 32;

/** Bounds what a body costs that comes in chunks, for its bytes: one in chunks of a byte each costs a hundred times as much. */
export class ChunkCount {
  readonly #request: object;
  #chunks = 0;
  #bytes = 0;

  /** @param request Whose body it is; nothing more is read from its connection once there have been too many. */
  constructor(request: object) {
    this.#request = request;
  }

  /** @throws ServeError `too_large` where there have been too many for their bytes. */
  add(chunk: Uint8Array): void {
    this.#chunks += 1;
    this.#bytes += chunk.byteLength;
    if (this.#chunks <= CHUNKS_FREE + this.#bytes / CHUNK_BYTES_MIN) return;
    stopReading(this.#request);
    throw new ServeError(
      'too_large',
      `too many chunks in the request body: expected ${CHUNK_BYTES_MIN} bytes in each on average beyond ${CHUNKS_FREE} chunks, found ${this.#chunks} chunks of ${this.#bytes} bytes together`,
    );
  }
}

/**
 * Closes connections after answers that went out before all chunks of their request were there, such as refusals: nothing would
 * count those that are still to come, and Node reads on until their end.
 */
export function endUnreadChunks(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply, payload) => {
    const isChunked = request.headers['transfer-encoding'] !== undefined;
    if (isChunked && !request.raw.complete) {
      reply.header('connection', 'close');
      stopReading(request.raw);
    }
    return payload;
  });
}
