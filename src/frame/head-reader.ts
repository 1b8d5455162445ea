import { DTYPES, type Tensor } from '../core/tensor.ts';
import { FrameError } from './frame-error.ts';
import { NO_TEXT } from './head-writer.ts';

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/** What the head says of a tensor whose data comes later. */
export type TensorHead = Omit<Tensor, 'data'> & { readonly bytes: number };

/** Reads what `HeadWriter` wrote; every step checks that the bytes are there. */
export class HeadReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  u8(what: string): number {
    return this.#bytes[this.#take(1, what)] as number;
  }

  u32(what: string): number {
    return u32At(this.#bytes, this.#take(4, what));
  }

  f64(what: string): number {
    const at = this.#take(8, what);
    for (let byte = 0; byte < 8; byte += 1) floatBytes[byte] = this.#bytes[at + byte] as number;
    return float[0] as number;
  }

  text(what: string): string {
    return this.#text(this.u32(what), what);
  }

  optionalText(what: string): string | undefined {
    const length = this.u32(what);
    return length === NO_TEXT ? undefined : this.#text(length, what);
  }

  tensor(): TensorHead {
    const name = this.text('tensor name');
    const code = this.u8('dtype');
    const dtype = DTYPES[code];
    if (dtype === undefined) {
      throw new FrameError(`expected a dtype code below ${DTYPES.length}, found ${code}`);
    }
    const rank = this.u8('rank');
    const shape: number[] = [];
    for (let axis = 0; axis < rank; axis += 1) shape.push(this.u32('dimension'));
    return { name, dtype, shape, bytes: this.u32('tensor length') };
  }

  /** Throws unless all of the head has been read. */
  finish(): void {
    if (this.#at !== this.#end) {
      throw new FrameError(`expected the head to end, found ${this.#end - this.#at} more bytes`);
    }
  }

  #text(length: number, what: string): string {
    const at = this.#take(length, what);
    return this.#bytes.toString('utf8', at, at + length);
  }

  #take(bytes: number, what: string): number {
    const at = this.#at;
    if (bytes > this.#end - at) {
      throw new FrameError(
        `expected ${bytes} bytes of ${what} in the head, found ${this.#end - at}`,
      );
    }
    this.#at = at + bytes;
    return at;
  }
}

/** Four bytes as an unsigned number, little-endian. The caller has checked that they are there. */
export function u32At(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}
