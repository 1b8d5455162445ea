import type { ElementReader, ElementSource } from './element-reader.ts';
import { malformed } from './json-bytes.ts';
import { float32Reader, float64Reader, narrowFloatReader } from './json-floats.ts';
import { integerReader, wideReader } from './json-integers.ts';
import { stringReader } from './json-strings.ts';

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
