import { isUtf8 } from 'node:buffer';
import { toBf16Bits, toFp16Bits } from '../../core/narrow-floats.ts';
import { FLOAT32, type FloatFormat, jsonNumber, shortestFloat } from '../../core/shortest-float.ts';
import type { Dtype, Tensor } from '../../core/tensor.ts';
import { elementsOf } from './elements.ts';

/**
 * The elements of a tensor as the inside of a flat JSON list. Floats have the fewest digits that read back exactly in their own
 * datatype; NaN and the infinities are bare words, which servers of the protocol take.
 *
 * Throws an Error for an element of BYTES that is no UTF-8: JSON has no way to say it.
 */
export function jsonElements({ name, dtype, data }: Tensor): string {
  const print = printerOf(dtype);
  return elementsOf(dtype, data)
    .map((element, index) => {
      if (typeof element !== 'object') return print(element);
      if (isUtf8(element)) return JSON.stringify(Buffer.from(element).toString());
      throw new Error(
        `${name}[${index}]: expected text in UTF-8, found other bytes, which JSON cannot hold. Send them as rest-binary or grpc`,
      );
    })
    .join(',');
}

export type Print = (element: number | bigint) => string;

/** Writes numbers of a datatype as JSON. */
export function printerOf(dtype: Dtype): Print {
  if (dtype === 'BOOL') return (element) => (element === 0 ? 'false' : 'true');
  const format = FORMATS[dtype];
  return format === undefined ? jsonNumber : floatPrinter(format);
}

const FORMATS: Partial<Readonly<Record<Dtype, FloatFormat>>> = {
  FP32: FLOAT32,
  FP16: {
    digitsMax: 5,
    digitsMin: 3,
    normalFrom: 2 ** -14,
    round: toFp16Bits,
  },
  BF16: {
    digitsMax: 4,
    digitsMin: 2,
    normalFrom: 2 ** -126,
    round: toBf16Bits,
  },
};

function floatPrinter(format: FloatFormat): Print {
  // Pixels are 256 different numbers, thousands of times each.
  const known = new Map<number, string>();
  return (element) => {
    const value = Number(element);
    const printed = known.get(value) ?? jsonNumber(shortestFloat(value, format));
    // A map holds -0 and 0 to be the same.
    if (value !== 0 && known.size < KNOWN_MAX) known.set(value, printed);
    return printed;
  };
}

const KNOWN_MAX = 1_024;
