import { toBf16Bits, toFp16Bits } from '../../core/narrow-floats.ts';
import type { ElementReader, ElementSource } from './element-reader.ts';
import { NumberReader } from './json-number.ts';
import { nextNumber, outOfRange } from './json-range.ts';

const FP32_MAX = 3.4028234663852886e38;

/** Named numbers pass; a written number must not round to infinity. */
export function float32Reader(source: ElementSource): ElementReader {
  const { json, capacity } = source;
  const numbers = new NumberReader(json);
  const target = new Float32Array(capacity);
  const reader = {
    count: 0,
    read(from: number, until: number): number {
      let index = reader.count;
      for (let next = from; next !== -1 && next < until; next = nextNumber(json, numbers.at)) {
        const value = numbers.float32(next);
        if (Math.abs(value) > FP32_MAX && !numbers.isNamed) {
          throw outOfRange(source, numbers.text(), floatRange(FP32_MAX));
        }
        if (index < capacity) target[index] = value;
        index += 1;
      }
      reader.count = index;
      return numbers.at;
    },
    bytes: () => new Uint8Array(target.buffer),
  };
  return reader;
}

export function float64Reader(source: ElementSource): ElementReader {
  const { json, capacity } = source;
  const numbers = new NumberReader(json);
  const target = new Float64Array(capacity);
  const reader = {
    count: 0,
    read(from: number, until: number): number {
      let index = reader.count;
      for (let next = from; next !== -1 && next < until; next = nextNumber(json, numbers.at)) {
        const value = numbers.value(next);
        if (Math.abs(value) > Number.MAX_VALUE && !numbers.isNamed) {
          throw outOfRange(source, numbers.text(), floatRange(Number.MAX_VALUE));
        }
        if (index < capacity) target[index] = value;
        index += 1;
      }
      reader.count = index;
      return numbers.at;
    },
    bytes: () => new Uint8Array(target.buffer),
  };
  return reader;
}

type NarrowFormat = {
  readonly max: number;
  /** Infinity's bits, without the sign. */
  readonly infinity: number;
  readonly toBits: (value: number) => number;
};

const NARROW: Readonly<Record<'FP16' | 'BF16', NarrowFormat>> = {
  FP16: { max: 65_504, infinity: 0x7c00, toBits: toFp16Bits },
  BF16: { max: 3.3895313892515355e38, infinity: 0x7f80, toBits: toBf16Bits },
};

/** Two bytes each, rounded to the nearest as FP32 is. */
export function narrowFloatReader(source: ElementSource, dtype: 'FP16' | 'BF16'): ElementReader {
  const { json, capacity } = source;
  const { max, infinity, toBits } = NARROW[dtype];
  const numbers = new NumberReader(json);
  const target = new Uint16Array(capacity);
  const reader = {
    count: 0,
    read(from: number, until: number): number {
      let index = reader.count;
      for (let next = from; next !== -1 && next < until; next = nextNumber(json, numbers.at)) {
        const bits = toBits(numbers.value(next));
        if ((bits & 0x7fff) === infinity && !numbers.isNamed) {
          throw outOfRange(source, numbers.text(), floatRange(max));
        }
        if (index < capacity) target[index] = bits;
        index += 1;
      }
      reader.count = index;
      return numbers.at;
    },
    bytes: () => new Uint8Array(target.buffer),
  };
  return reader;
}

function floatRange(max: number) {
  return { min: -max, max, isInteger: false };
}
