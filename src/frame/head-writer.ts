import { ServeError } from '../core/errors.ts';
import { DTYPES, type Dtype, type OutboundTensor } from '../core/tensor.ts';

const NAMES_BYTES_MAX = 16 * 1024 * 1024;
const RANK_MAX = 255;
/** In the place of the length of a text that is not there. */
export const NO_TEXT = 0xffff_ffff;
const DTYPE_CODE: ReadonlyMap<Dtype, number> = new Map(DTYPES.map((dtype, code) => [dtype, code]));

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/** Bytes of all data of a tensor that is to be sent. */
export function dataBytes(data: OutboundTensor['data']): number {
  if (data instanceof Uint8Array) return data.byteLength;
  let bytes = 0;
  for (const part of data) bytes += part.byteLength;
  return bytes;
}

/** Writes the numbers and names of a frame one after another into a buffer that grows. */
export class HeadWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(4096);
  #end = 0;

  /** Drops what was written, and leaves room for so many bytes that are written last. */
  reset(reserved: number): void {
    this.#end = reserved;
  }

  get end(): number {
    return this.#end;
  }

  /** What was written, valid until the next `reset`. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#end++] = value;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.u32At(this.#end, value);
    this.#end += 4;
  }

  /** Overwrites four bytes in the reserved part. */
  u32At(offset: number, value: number): void {
    if (!(value >= 0 && value <= 0xffff_ffff)) {
      throw new ServeError('too_large', `expected a number that fits 32 bits, found ${value}`);
    }
    const bytes = this.#bytes;
    bytes[offset] = value;
    bytes[offset + 1] = value >>> 8;
    bytes[offset + 2] = value >>> 16;
    bytes[offset + 3] = value >>> 24;
  }

  f64(value: number): void {
    this.#reserve(8);
    float[0] = value;
    this.#bytes.set(floatBytes, this.#end);
    this.#end += 8;
  }

  text(value: string): void {
    // Three bytes hold any UTF-16 unit in UTF-8.
    this.#reserve(4 + value.length * 3);
    const start = this.#end + 4;
    const bytes = value.length <= 32 ? this.#shortAscii(value, start) : -1;
    const length = bytes >= 0 ? bytes : this.#bytes.write(value, start, 'utf8');
    this.u32At(this.#end, length);
    this.#end = start + length;
  }

  /** A length that no text has stands for undefined. */
  optionalText(value: string | undefined): void {
    if (value === undefined) this.u32(NO_TEXT);
    else this.text(value);
  }

  tensor(tensor: OutboundTensor): void {
    this.text(tensor.name);
    this.u8(DTYPE_CODE.get(tensor.dtype) ?? 255);
    if (tensor.shape.length > RANK_MAX) {
      throw new ServeError(
        'too_large',
        `expected at most ${RANK_MAX} dimensions, found ${tensor.shape.length}`,
      );
    }
    this.u8(tensor.shape.length);
    for (const dimension of tensor.shape) this.u32(dimension);
    this.u32(dataBytes(tensor.data));
  }

  /** Short names are written here: a call into native code costs more than the loop. -1: not ASCII. */
  #shortAscii(value: string, start: number): number {
    for (let at = 0; at < value.length; at += 1) {
      const unit = value.charCodeAt(at);
      if (unit > 127) return -1;
      this.#bytes[start + at] = unit;
    }
    return value.length;
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#bytes.length) return;
    if (needed > NAMES_BYTES_MAX) {
      throw new ServeError(
        'too_large',
        `expected names of at most ${NAMES_BYTES_MAX} bytes, found ${needed} or more`,
      );
    }
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#end);
    this.#bytes = grown;
  }
}
