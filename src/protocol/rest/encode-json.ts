import type { SlicedTask } from '../../concurrency/time-slicer.ts';
import { jsonNumber, shortestFloat32 } from '../../core/shortest-float.ts';
import { DTYPE_BYTES, type Dtype, type Tensor } from '../../core/tensor.ts';
import { fromBf16Bits, fromFp16Bits } from './narrow-floats.ts';

/**
 * Writes a tensor's elements as the inside of a flat JSON array, in slices. Numbers are written so that they read back
 * exactly in their own datatype; NaN and the infinities as the bare words that the protocol's clients read and write.
 */
export class JsonElements implements SlicedTask {
  /** What is written, one piece per slice. */
  readonly pieces: string[] = [];
  readonly #view: DataView;
  readonly #read: ReadElement;
  /** Bytes of an element; of its length prefix for BYTES. */
  readonly #sizeBytes: number;
  readonly #isText: boolean;
  #at = 0;

  constructor({ dtype, data }: Tensor) {
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    this.#read = readerOf(dtype);
    this.#isText = dtype === 'BYTES';
    this.#sizeBytes = this.#isText ? 4 : DTYPE_BYTES[dtype];
  }

  step(budgetBytes: number): boolean {
    // An element is two to three times as long in JSON as in binary, and a byte of it takes longer to write than to read.
    const until = Math.min(this.#view.byteLength, this.#at + budgetBytes / 4);
    const texts: string[] = [];
    while (this.#at < until) {
      texts.push(this.#read(this.#view, this.#at));
      if (this.#isText) this.#at += this.#view.getUint32(this.#at, true);
      this.#at += this.#sizeBytes;
    }
    const isFirst = this.pieces.length === 0;
    this.pieces.push(isFirst ? texts.join(',') : `,${texts.join(',')}`);
    return this.#at >= this.#view.byteLength;
  }
}

type ReadElement = (view: DataView, at: number) => string;
type ReadNumber = (view: DataView, at: number) => number | bigint | boolean;

const NUMBERS: Readonly<Record<Exclude<Dtype, 'BYTES'>, ReadNumber>> = {
  BOOL: (view, at) => view.getUint8(at) !== 0,
  UINT8: (view, at) => view.getUint8(at),
  UINT16: (view, at) => view.getUint16(at, true),
  UINT32: (view, at) => view.getUint32(at, true),
  UINT64: (view, at) => view.getBigUint64(at, true),
  INT8: (view, at) => view.getInt8(at),
  INT16: (view, at) => view.getInt16(at, true),
  INT32: (view, at) => view.getInt32(at, true),
  INT64: (view, at) => view.getBigInt64(at, true),
  FP16: (view, at) => fromFp16Bits(view.getUint16(at, true)),
  BF16: (view, at) => shortestFloat32(fromBf16Bits(view.getUint16(at, true))),
  FP32: (view, at) => shortestFloat32(view.getFloat32(at, true)),
  FP64: (view, at) => view.getFloat64(at, true),
};

function readerOf(dtype: Dtype): ReadElement {
  if (dtype === 'BYTES') return readString;
  const read = NUMBERS[dtype];
  return (view, at) => jsonNumber(read(view, at));
}

function readString(view: DataView, at: number): string {
  const length = view.getUint32(at, true);
  const bytes = Buffer.from(view.buffer, view.byteOffset + at + 4, length);
  return JSON.stringify(bytes.toString());
}
