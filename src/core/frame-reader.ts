import { decodeFrame, FRAME_BYTES_MAX, type Frame, frameLength } from './frame.ts';

const LENGTH_BYTES = 4;

/**
 * Puts frames together from the chunks of a stream. A frame that lies in one chunk is read where it lies; one that spans
 * several is copied once into a buffer of its size. After a FrameError the stream is lost: there is no way to find the next frame.
 */
export class FrameReader {
  readonly #bytesMax: number;
  /** Not yet a whole length field. */
  #prefix = new Uint8Array(0);
  /** A frame in the making, and how much of it has come. */
  #partial: Uint8Array | undefined;
  #filled = 0;

  constructor(bytesMax = FRAME_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** Hands every frame that is complete with this chunk to `onFrame`, in order. Throws FrameError. */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void {
    let rest = this.#prefix.byteLength === 0 ? chunk : joined(this.#prefix, chunk);
    this.#prefix = new Uint8Array(0);
    while (rest.byteLength > 0) {
      if (this.#partial !== undefined) {
        rest = this.#fill(rest, onFrame);
        continue;
      }
      if (rest.byteLength < LENGTH_BYTES) {
        this.#prefix = Uint8Array.from(rest);
        return;
      }
      const length = frameLength(rest, this.#bytesMax);
      if (rest.byteLength >= length) {
        onFrame(decodeFrame(rest.subarray(0, length)));
        rest = rest.subarray(length);
      } else {
        this.#partial = new Uint8Array(length);
        this.#filled = 0;
      }
    }
  }

  #fill(chunk: Uint8Array, onFrame: (frame: Frame) => void): Uint8Array {
    const frame = this.#partial;
    if (frame === undefined) return chunk;
    const part = chunk.subarray(0, frame.byteLength - this.#filled);
    frame.set(part, this.#filled);
    this.#filled += part.byteLength;
    if (this.#filled === frame.byteLength) {
      this.#partial = undefined;
      onFrame(decodeFrame(frame));
    }
    return chunk.subarray(part.byteLength);
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.byteLength + b.byteLength);
  both.set(a, 0);
  both.set(b, a.byteLength);
  return both;
}
