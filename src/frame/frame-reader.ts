import { decodeFrame, frameLength } from './decode-frame.ts';
import { FRAME_BYTES_MAX, type Frame, type FrameClock } from './frame.ts';

const LENGTH_BYTES = 4;
const NOTHING = new Uint8Array(0);

/**
 * Puts frames together from the chunks of a stream. A frame that lies in one chunk is read where it lies; one that spans
 * several is copied once into a buffer of its size. After a FrameError the stream is lost: there is no way to find the next frame.
 */
export class FrameReader {
  readonly #clock: FrameClock;
  readonly #bytesMax: number;
  /** Not yet a whole length field. */
  #prefix = NOTHING;
  /** A frame in the making, and how much of it has come. */
  #partial: Uint8Array | undefined;
  #filled = 0;

  constructor(clock: FrameClock, bytesMax = FRAME_BYTES_MAX) {
    this.#clock = clock;
    this.#bytesMax = bytesMax;
  }

  /** Hands every frame that is complete with this chunk to `onFrame`, in order. Throws FrameError. */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void {
    const bytes = this.#prefix.byteLength === 0 ? chunk : joined(this.#prefix, chunk);
    this.#prefix = NOTHING;
    let at = this.#partial === undefined ? 0 : this.#fill(this.#partial, bytes, onFrame);
    while (at < bytes.byteLength) {
      const left = bytes.byteLength - at;
      if (left < LENGTH_BYTES) {
        this.#prefix = Uint8Array.from(bytes.subarray(at));
        return;
      }
      const length = frameLength(bytes, at, this.#bytesMax);
      if (left < length) {
        this.#begin(length, bytes.subarray(at));
        return;
      }
      const frame = bytes.subarray(at, at + length);
      at += length;
      onFrame(decodeFrame(frame, this.#clock));
    }
  }

  #begin(length: number, bytes: Uint8Array): void {
    this.#partial = new Uint8Array(length);
    this.#partial.set(bytes, 0);
    this.#filled = bytes.byteLength;
  }

  /** Gives back how much of the chunk belonged to the frame. */
  #fill(frame: Uint8Array, chunk: Uint8Array, onFrame: (frame: Frame) => void): number {
    const part = chunk.subarray(0, frame.byteLength - this.#filled);
    frame.set(part, this.#filled);
    this.#filled += part.byteLength;
    if (this.#filled === frame.byteLength) {
      this.#partial = undefined;
      onFrame(decodeFrame(frame, this.#clock));
    }
    return part.byteLength;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.byteLength + b.byteLength);
  both.set(a, 0);
  both.set(b, a.byteLength);
  return both;
}
