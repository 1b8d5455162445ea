import { isUtf8 } from 'node:buffer';
import type { Dtype, Tensor } from '../../core/tensor.ts';
import { elementsOf } from './elements.ts';
import { BF16, FP16, toNarrowBits } from './narrow-floats.ts';

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
  switch (dtype) {
    case 'BOOL':
      return (element) => (element === 0 ? 'false' : 'true');
    case 'FP32':
      return floatPrinter(FP32_DIGITS, Math.fround);
    case 'FP16':
      return floatPrinter(FP16_DIGITS, (value) => toNarrowBits(FP16, value));
    case 'BF16':
      return floatPrinter(BF16_DIGITS, (value) => toNarrowBits(BF16, value));
    case 'FP64':
      return (element) => textOf(Number(element));
    default:
      return String;
  }
}

type Digits = {
  /** So many tell any two numbers of the format apart. */
  readonly max: number;
  /** So many, or fewer, survive being read and written again, from `normalFrom` on: fewer need no trial. */
  readonly sure: number;
  readonly normalFrom: number;
};

const FP32_DIGITS: Digits = { max: 9, sure: 6, normalFrom: 2 ** -126 };
const FP16_DIGITS: Digits = { max: 5, sure: 3, normalFrom: 2 ** -14 };
const BF16_DIGITS: Digits = { max: 4, sure: 2, normalFrom: 2 ** -126 };

/** A decimal differs from the double nearest to it by less than this, relatively. */
const DOUBLE_ERROR = 2 ** -50;

/** `round` gives the same for all that reads back as the same number. */
function floatPrinter(digits: Digits, round: (value: number) => number): Print {
  // Pixels are 256 different numbers, thousands of times each.
  const known = new Map<number, string>();
  return (element) => {
    const value = Number(element);
    const printed = known.get(value) ?? fewestDigits(value, digits, round);
    // A map holds -0 and 0 to be the same.
    if (value !== 0 && known.size < KNOWN_MAX) known.set(value, printed);
    return printed;
  };
}

const KNOWN_MAX = 1_024;

function fewestDigits(value: number, digits: Digits, round: (value: number) => number): string {
  if (!Number.isFinite(value) || value === 0) return textOf(value);
  const wanted = round(value);
  const first = Math.abs(value) >= digits.normalFrom ? digits.sure : 1;
  for (let count = first; count < digits.max; count += 1) {
    const decimal = rounded(value, count);
    // Also for who reads the digits at once, without a double in between.
    const isSame =
      round(decimal * (1 - DOUBLE_ERROR)) === wanted &&
      round(decimal * (1 + DOUBLE_ERROR)) === wanted;
    if (isSame) return textOf(decimal);
  }
  return textOf(Number(value.toPrecision(digits.max)));
}

/** Up to this power a double is exact, so that a division by it rounds once. */
const EXACT_POWER_MAX = 22;
const POWERS = Array.from({ length: EXACT_POWER_MAX + 1 }, (_, power) => Number(`1e${power}`));

/** The number with so many digits. The short way is ten times as fast as by text, and does for most numbers. */
function rounded(value: number, digits: number): number {
  const places = digits - 1 - Math.floor(Math.log10(Math.abs(value)));
  const power = POWERS[places];
  if (power === undefined) return Number(value.toPrecision(digits));
  return Math.round(value * power) / power;
}

function textOf(value: number): string {
  // Without a fraction some readers make it a whole number, which has no sign to keep.
  return Object.is(value, -0) ? '-0.0' : String(value);
}
