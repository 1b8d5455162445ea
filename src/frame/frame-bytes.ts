import { DTYPES, type Dtype, type OutboundTensor, type Tensor } from '../core/tensor.ts';

/** A frame that contradicts the format. `message` says what was expected and what was found. */
export class FrameError extends Error {
  constructor(message: string) {
    super(`malformed frame: ${message}`);
    this.name = 'FrameError';
  }
}

const EXCERPT_CHARS = 40;
/** What JSON leaves as it is. */
const CONTROLS = /[\u007f-\u009f\u2028\u2029]/g;

/** The beginning of damaged text, quoted for a message: nothing in it ends the line or moves a terminal's cursor. */
export function excerpt(text: string): string {
  return JSON.stringify(text.slice(0, EXCERPT_CHARS)).replaceAll(CONTROLS, '?');
}

const NAMES_BYTES_MAX = 16 * 1024 * 1024;
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

  /** Starts anew, leaving room for what is written last. */
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
      throw new FrameError(`expected a number that fits 32 bits, found ${value}`);
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

  tensor(tensor: OutboundTensor): void {
    this.text(tensor.name);
    this.u8(DTYPE_CODE.get(tensor.dtype) ?? 255);
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
      throw new FrameError(
        `expected names of at most ${NAMES_BYTES_MAX} bytes, found ${needed} or more`,
      );
    }
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#end);
    this.#bytes = grown;
  }
}

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
    const length = this.u32(what);
    const at = this.#take(length, what);
    return this.#bytes.toString('utf8', at, at + length);
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
