import type { Dtype } from '../../core/tensor.ts';
import { malformed } from './json-bytes.ts';
import { float32Reader, float64Reader, narrowFloatReader } from './json-floats.ts';
import { integerReader, wideReader } from './json-integers.ts';
import { stringReader } from './json-strings.ts';

/** Reads the elements of one datatype from JSON into the tensor's bytes. */
export type ElementReader = {
  /** Elements read so far; those that there was no room for count too. */
  readonly count: number;
  /**
   * Reads the element at `at`, and those that follow it after nothing but a comma and a space for as long as they begin
   * before `until`. Returns the byte after the last one.
   */
  readonly read: (at: number, until: number) => number;
  /** The tensor's bytes, once all is read. */
  readonly bytes: () => Uint8Array;
};

export type ElementSource = {
  readonly json: Buffer;
  readonly dtype: Dtype;
  /** Elements that there is room for; more are read and dropped, so that they can be counted. */
  readonly capacity: number;
  /** Bytes of all elements in JSON. */
  readonly jsonBytes: number;
  /** The input, for messages. */
  readonly name: string;
};

/** Each datatype has a loop of its own: one for all would ask for every element what it is. */
export function createElementReader(source: ElementSource): ElementReader {
  switch (source.dtype) {
    case 'BYTES':
      return stringReader(source);
    case 'BOOL':
      return booleanReader(source);
    case 'INT64':
    case 'UINT64':
      return wideReader(source, source.dtype);
    case 'FP16':
    case 'BF16':
      return narrowFloatReader(source, source.dtype);
    case 'FP32':
      return float32Reader(source);
    case 'FP64':
      return float64Reader(source);
    default:
      return integerReader(source, source.dtype);
  }
}

function booleanReader(source: ElementSource): ElementReader {
  const bytes = new Uint8Array(source.capacity);
  const { json } = source;
  const reader = {
    count: 0,
    read(at: number): number {
      const text = json.toString('latin1', at, at + 5);
      const value = text.startsWith('true') ? 1 : text === 'false' ? 0 : undefined;
      if (value === undefined) {
        throw malformed(json, at, `true or false in the data of input '${source.name}'`);
      }
      if (reader.count < source.capacity) bytes[reader.count] = value;
      reader.count += 1;
      return at + (value === 1 ? 4 : 5);
    },
    bytes: () => bytes,
  };
  return reader;
}
