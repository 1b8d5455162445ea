import type { SlicedTask } from '../../concurrency/time-slicer.ts';
import { fromBf16Bits } from '../../core/narrow-floats.ts';
import { type FixedDtype, READ_ELEMENT } from '../../core/numbers.ts';
import { jsonNumber, shortestFloat32 } from '../../core/shortest-float.ts';
import { DTYPE_BYTES, type Dtype, type Tensor } from '../../core/tensor.ts';

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

/** As `READ_ELEMENT`, but for BOOL as true and false, and floats of 32 bits and less as the double with the fewest digits. */
const NUMBERS: Readonly<Record<FixedDtype, ReadNumber>> = {
  ...READ_ELEMENT,
  BOOL: (view, at) => view.getUint8(at) !== 0,
  BF16: (view, at) => shortestFloat32(fromBf16Bits(view.getUint16(at, true))),
  FP32: (view, at) => shortestFloat32(view.getFloat32(at, true)),
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
