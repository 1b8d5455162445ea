import type { Socket } from 'node:net';
import { encodeChunks, type Frame } from '../core/frame.ts';
import type { OutboundTensor } from '../core/frame-bytes.ts';
import { FrameReader } from '../core/frame-reader.ts';

export type FrameSocketListeners = {
  readonly onFrame: (frame: Frame) => void;
  /** The stream cannot be understood any more, or the socket failed. */
  readonly onError: (error: Error) => void;
};

/** Up to here, putting pieces together costs less than handing them to the system one by one. */
const JOINED_BYTES_MAX = 128 * 1024;

/** Frames over a socket. What is sent within one turn of the event loop leaves in one write. */
export class FrameSocket {
  readonly #socket: Socket;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(socket: Socket, { onFrame, onError }: FrameSocketListeners) {
    this.#socket = socket;
    const reader = new FrameReader();
    socket.on('error', onError);
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk, onFrame);
      } catch (error) {
        socket.destroy();
        onError(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** Bytes that the other end has not yet taken. */
  get backlogBytes(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  send(frame: Frame<OutboundTensor>): void {
    const chunks = encodeChunks(frame);
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
