import { runSliced, type SlicedTask, type TimeSlicer } from '../../concurrency/time-slicer.ts';
import { ServeError } from '../../core/errors.ts';
import { DTYPE_BYTES, type Dtype, elementCount, formatShape } from '../../core/tensor.ts';
import { checkStringCount } from '../../gateway/check-strings.ts';
import type { MemoryShare } from '../memory-budget.ts';
import type { ElementReader } from './element-reader.ts';
import { BYTE, isSpace, malformed } from './json-bytes.ts';
import { createElementReader } from './json-elements.ts';
import type { ByteRange } from './json-head.ts';
import { Nesting } from './nesting.ts';

export type JsonTensor = {
  readonly json: Buffer;
  /** The array, brackets included. */
  readonly range: ByteRange;
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
};

export type JsonTensorContext = {
  readonly limits: { readonly jsonElementsMax: number };
  readonly slicer: TimeSlicer;
  readonly share: Pick<MemoryShare, 'take'>;
};

/**
 * A tensor's bytes from its JSON array, nested or flat, row-major. Nested lists must be regular, and the number of elements must
 * match the shape.
 * @throws ServeError `invalid_input` saying which element, what was expected and what was found; `memory_full`.
 */
export async function decodeJsonTensor(
  tensor: JsonTensor,
  { limits, slicer, share }: JsonTensorContext,
): Promise<Uint8Array> {
  const { json, range, name, dtype, shape } = tensor;
  const expected = elementCount(shape);
  if (dtype === 'BYTES') checkStringCount([tensor]);
  if (expected > limits.jsonElementsMax) {
    throw new ServeError(
      'too_large',
      `input '${name}' has too many elements for JSON: expected at most ${limits.jsonElementsMax}, found ${expected}. Use the binary data format`,
    );
  }
  // An element takes a byte and a comma at least: a shape that promises more than that is not believed.
  const jsonBytes = range.end - range.start;
  const capacity = Math.min(expected, Math.ceil(jsonBytes / 2));
  share.take(bytesFor(dtype, capacity, jsonBytes));
  // A thousand small tensors are as long a work as a large one.
  if (slicer.isOver()) await slicer.next();
  const elements = createElementReader({ json, dtype, capacity, jsonBytes, name });
  const reader = new ArrayReader(tensor, elements);
  await runSliced(reader, slicer);
  if (elements.count !== expected) {
    throw new ServeError(
      'invalid_input',
      `unexpected number of elements for input '${name}': expected ${expected} for shape ${formatShape(shape)}, found ${elements.count}`,
    );
  }
  return elements.bytes();
}

/** What so many elements take at most: strings are no longer than in JSON, and have their length in front. */
function bytesFor(dtype: Dtype, elements: number, jsonBytes: number): number {
  return dtype === 'BYTES' ? 4 * elements + jsonBytes : DTYPE_BYTES[dtype] * elements;
}

/** What may stand next: a value or the array's end, a value, a comma or the array's end. */
type Expected = 'valueOrEnd' | 'value' | 'commaOrEnd';

/** Walks a nested array and hands every element to its reader. */
class ArrayReader implements SlicedTask {
  readonly #json: Buffer;
  readonly #end: number;
  readonly #elements: ElementReader;
  readonly #nesting: Nesting;
  #at: number;
  #depth = 0;
  #expected: Expected = 'value';

  constructor({ json, range, name }: JsonTensor, elements: ElementReader) {
    this.#json = json;
    this.#nesting = new Nesting(name);
    this.#at = range.start;
    this.#end = range.end;
    this.#elements = elements;
  }

  step(budgetBytes: number): boolean {
    const until = Math.min(this.#end, this.#at + budgetBytes);
    while (this.#at < until) {
      const byte = this.#json[this.#at] ?? 0;
      if (isSpace(byte)) this.#at += 1;
      else if (this.#expected === 'commaOrEnd') this.#passMark(byte);
      else this.#passValue(byte, until);
    }
    return this.#at >= this.#end;
  }

  #passMark(byte: number): void {
    if (byte === BYTE.comma && this.#depth > 0) this.#expected = 'value';
    else if (byte === BYTE.closeBracket && this.#depth > 0) this.#close();
    else throw malformed(this.#json, this.#at, "',' or ']'");
    this.#at += 1;
  }

  #passValue(byte: number, until: number): void {
    if (byte === BYTE.openBracket) {
      this.#nesting.open(this.#depth, this.#at);
      this.#depth += 1;
      this.#expected = 'valueOrEnd';
      this.#at += 1;
      return;
    }
    if (byte === BYTE.closeBracket && this.#expected === 'valueOrEnd') {
      this.#close();
      this.#at += 1;
    } else {
      const [start, before] = [this.#at, this.#elements.count];
      this.#at = this.#elements.read(start, until);
      this.#nesting.add(this.#depth, this.#elements.count - before, start);
    }
    this.#expected = 'commaOrEnd';
  }

  #close(): void {
    this.#depth -= 1;
    this.#nesting.close(this.#depth, this.#at);
  }
}
