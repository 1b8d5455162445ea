import type { Socket } from 'node:net';
import type { OutboundTensor } from '../core/tensor.ts';
import { decodeFrame } from './decode-frame.ts';
import { encodeChunks } from './encode-frame.ts';
import type { Frame, FrameClock, StoredFrame } from './frame.ts';
import { FrameError } from './frame-error.ts';
import { FrameReader } from './frame-reader.ts';
import type { RingReader, RingWriter } from './ring.ts';

export type FrameSocketOptions = {
  readonly clock: FrameClock;
  readonly onFrame: (frame: Frame) => void;
  /** The stream cannot be understood any more, or the socket failed. */
  readonly onError: (error: Error) => void;
};

/** Up to here, putting pieces together costs less than handing them to the system one by one. */
const JOINED_BYTES_MAX = 128 * 1024;

/** From here on, a frame costs less through shared memory than over the socket. */
const STORED_BYTES_MIN = 16 * 1024;

/** The two directions of shared memory, seen from this end. */
export type Rings = { readonly inbox: RingReader; readonly outbox: RingWriter };

/**
 * Frames over a socket. What is sent within one turn of the event loop leaves in one write. Large frames go through shared memory
 * where there is any, with only a doorbell on the socket; order is kept.
 */
export class FrameSocket {
  readonly #socket: Socket;
  readonly #clock: FrameClock;
  #rings: Rings | undefined;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(socket: Socket, { clock, onFrame, onError }: FrameSocketOptions) {
    this.#socket = socket;
    this.#clock = clock;
    const reader = new FrameReader(clock);
    const onArrival = (frame: Frame): void => {
      onFrame(frame.kind === 'stored' ? this.#fetch(frame) : frame);
    };
    socket.on('error', onError);
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk, onArrival);
      } catch (error) {
        socket.destroy();
        onError(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** Bytes that the other end has not yet taken. */
  get backlogBytes(): number {
    const storedBytes = this.#rings?.outbox.waitingBytes ?? 0;
    return this.#bytes + this.#socket.writableLength + storedBytes;
  }

  /** Both ends may pass large frames through these from here on. */
  share(rings: Rings): void {
    this.#rings = rings;
  }

  send(frame: Frame<OutboundTensor>): void {
    const chunks = this.#stored(encodeChunks(frame, this.#clock));
    if (this.#chunks.length === 0) setImmediate(() => this.#flush());
    for (const chunk of chunks) {
      this.#chunks.push(chunk);
      this.#bytes += chunk.byteLength;
    }
  }

  /** Sends what is left and closes this end. */
  end(): void {
    this.#flush();
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The doorbell for a frame that was put into shared memory; the frame itself where that is not worth it or not possible. */
  #stored(chunks: Uint8Array[]): Uint8Array[] {
    if (chunks.length === 1 || this.#rings === undefined) return chunks;
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.byteLength;
    if (bytes < STORED_BYTES_MIN) return chunks;
    const at = this.#rings.outbox.put(chunks, bytes);
    return at === undefined ? chunks : encodeChunks({ kind: 'stored', at, bytes }, this.#clock);
  }

  #fetch({ at, bytes }: StoredFrame): Frame {
    if (this.#rings === undefined) throw new FrameError('expected no stored frame, found one');
    return decodeFrame(this.#rings.inbox.take(at, bytes), this.#clock);
  }

  #flush(): void {
    const chunks = this.#chunks;
    const bytes = this.#bytes;
    if (chunks.length === 0 || this.#socket.destroyed) return;
    this.#chunks = [];
    this.#bytes = 0;
    if (chunks.length === 1 || bytes <= JOINED_BYTES_MAX) {
      this.#socket.write(Buffer.concat(chunks, bytes));
      return;
    }
    this.#socket.cork();
    for (const chunk of chunks) this.#socket.write(chunk);
    this.#socket.uncork();
  }
}
