import { BYTE, malformed } from './json-bytes.ts';

/**
 * Reads numbers straight from bytes, exactly as JSON.parse would: up to 15 digits and a power of ten up to 22 are both exact
 * doubles, so their product or quotient is correctly rounded (Clinger, How to Read Floating Point Numbers Accurately, 1990);
 * all others go through Number(). `NaN`, `Infinity` and `-Infinity` are read too, as the protocol's clients write them.
 */
export class NumberReader {
  readonly bytes: Buffer;
  /** The byte after the number that was read last. */
  at = 0;
  /** Where the number that was read last began. */
  start = 0;
  /** True if it had neither a fraction nor an exponent. */
  isWhole = false;
  /** Its digits, leading zeros included. */
  digits = 0;
  #mantissa = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** @throws ServeError `invalid_input` if there is no number at `at`. */
  read(at: number): number {
    this.start = at;
    this.at = at;
    this.digits = 0;
    this.#mantissa = 0;
    const isNegative = this.#byte() === BYTE.minus;
    if (isNegative) this.at += 1;
    if (!isDigit(this.#byte())) return this.#named(isNegative);
    this.#passWhole();
    const scale = this.#passFraction() + this.#passExponent();
    const value = this.#value(scale);
    return isNegative && value > 0 ? -value : isNegative && value === 0 ? -0 : value;
  }

  /** The number that was read last, as it stands in the bytes. */
  text(): string {
    return this.bytes.toString('latin1', this.start, this.at);
  }

  #byte(): number {
    return this.bytes[this.at] ?? 0;
  }

  #passDigits(): number {
    const from = this.at;
    let byte = this.#byte();
    while (byte >= BYTE.zero && byte <= BYTE.nine) {
      this.#mantissa = this.#mantissa * 10 + (byte - BYTE.zero);
      this.at += 1;
      byte = this.#byte();
    }
    const count = this.at - from;
    if (count === 0) throw malformed(this.bytes, this.at, 'a digit');
    return count;
  }

  #passWhole(): void {
    const startsWithZero = this.#byte() === BYTE.zero;
    const from = this.at;
    this.digits = this.#passDigits();
    if (startsWithZero && this.digits > 1) {
      throw malformed(this.bytes, from, 'a number without leading zeros');
    }
    this.isWhole = true;
  }

  /** The power of ten that the digits after the point take away: 0 or less. */
  #passFraction(): number {
    if (this.#byte() !== BYTE.dot) return 0;
    this.at += 1;
    this.isWhole = false;
    const count = this.#passDigits();
    this.digits += count;
    return -count;
  }

  #passExponent(): number {
    const byte = this.#byte();
    if (byte !== BYTE.lowerE && byte !== BYTE.upperE) return 0;
    this.at += 1;
    this.isWhole = false;
    const sign = this.#byte();
    if (sign === BYTE.minus || sign === BYTE.plus) this.at += 1;
    const mantissa = this.#mantissa;
    this.#mantissa = 0;
    this.#passDigits();
    const exponent = this.#mantissa;
    this.#mantissa = mantissa;
    return sign === BYTE.minus ? -exponent : exponent;
  }

  #value(scale: number): number {
    if (this.digits <= DIGITS_EXACT) {
      if (scale === 0) return this.#mantissa;
      const power = POWERS_OF_TEN[Math.abs(scale)];
      if (power !== undefined) return scale < 0 ? this.#mantissa / power : this.#mantissa * power;
    }
    return Math.abs(Number(this.text()));
  }

  #named(isNegative: boolean): number {
    const name = this.bytes.toString('latin1', this.at, this.at + 8);
    if (name === 'Infinity') {
      this.at += 8;
      this.isWhole = false;
      return isNegative ? -Infinity : Infinity;
    }
    if (!isNegative && name.startsWith('NaN')) {
      this.at += 3;
      this.isWhole = false;
      return Number.NaN;
    }
    throw malformed(this.bytes, this.start, 'a number');
  }
}

const DIGITS_EXACT = 15;

/** 10^0 to 10^22: the powers of ten that a double holds exactly. */
const POWERS_OF_TEN: readonly number[] = Array.from({ length: 23 }, (_, power) => 10 ** power);

function isDigit(byte: number): boolean {
  return byte >= BYTE.zero && byte <= BYTE.nine;
}
