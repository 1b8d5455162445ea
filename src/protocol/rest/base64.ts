import { runSliced, type SlicedTask, type TimeSlicer } from '../../concurrency/time-slicer.ts';

/** The bytes that base64 text, given as its own bytes, stands for, decoded in slices; undefined where it is none. */
export async function decodeBase64(text: Buffer, slicer: TimeSlicer): Promise<Buffer | undefined> {
  const decoder = new Decoder(text);
  await runSliced(decoder, slicer);
  return decoder.decoded();
}

class Decoder implements SlicedTask {
  readonly #text: Buffer;
  readonly #target: Buffer;
  #at = 0;
  #written = 0;
  #isValid = true;

  constructor(text: Buffer) {
    this.#text = withoutPadding(text);
    this.#target = Buffer.allocUnsafe(bytesIn(this.#text.byteLength));
    // One character over whole groups of four holds no byte.
    this.#isValid = this.#text.byteLength % 4 !== 1;
  }

  step(budgetBytes: number): boolean {
    const end = Math.min(this.#text.byteLength, this.#at + (budgetBytes - (budgetBytes % 4)));
    const slice = this.#text.toString('latin1', this.#at, end);
    const written = this.#target.write(slice, this.#written, 'base64');
    // What is not of the alphabet is passed over, and shows in fewer bytes.
    this.#isValid &&= written === bytesIn(end - this.#at);
    this.#written += written;
    this.#at = end;
    return !this.#isValid || this.#at >= this.#text.byteLength;
  }

  decoded(): Buffer | undefined {
    return this.#isValid ? this.#target : undefined;
  }
}

function bytesIn(characters: number): number {
  return Math.floor((characters * 3) / 4);
}

/** Padding may be there or not. */
function withoutPadding(text: Buffer): Buffer {
  const padded = text[text.byteLength - 1] === EQUALS;
  const twice = padded && text[text.byteLength - 2] === EQUALS;
  return text.subarray(0, text.byteLength - (twice ? 2 : padded ? 1 : 0));
}

const EQUALS = 0x3d;
