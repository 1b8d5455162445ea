import { ServeError } from '../../core/errors.ts';
import { productRest } from './exact-product.ts';
import { BYTE, malformed } from './json-bytes.ts';

/** A longer numeral says nothing more in any datatype; it would only block the serving thread. */
const NUMERAL_BYTES_MAX = 4_096;

/** So many digits always fit a double exactly: 10^15 < 2^53. */
const HIGH_DIGITS = 15;

/** 10^k as the nearest double; exact up to 10^22. */
const POWERS_OF_TEN = Float64Array.from({ length: 91 }, (_, power) => Number(`1e${power}`));

const POWER_MAX = POWERS_OF_TEN.length - 1;

const EXACT_POWER_MAX = 22;

/** Bytes of a number that is read in one go, sign and point included: its digits are a whole number that a double holds. */
const SHORT_BYTES_MAX = HIGH_DIGITS;

/** How far `estimate()` may be off, relatively: eight roundings of half a unit each, with room to spare. */
const ESTIMATE_ERROR = 2 ** -49;

/**
 * Reads numbers straight from bytes: exactly those that JSON.parse would, without a string in between but for the rare ones
 * that short arithmetic cannot decide. `NaN`, `Infinity` and `-Infinity` are read too, as the protocol's clients write them.
 */
export class NumberReader {
  /** The byte after the number that was read last. */
  at = 0;
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #start = 0;
  #isNegative = false;
  /**
   * Without its sign the number is (high * 10^lowDigits + low) * 10^scale. `high` is exact, and so is `low` up to 15 digits;
   * a number whose whole part alone is too long for `high` is not taken apart.
   */
  #high = 0;
  #low = 0;
  #lowDigits = 0;
  #scale = 0;
  #isLong = false;
  /** Whether the number that was read last was short: numbers of one array are mostly alike. */
  #isShort = true;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * The number at `from` as JSON.parse has it: the nearest double.
   * @throws ServeError `invalid_input` if there is none; `too_large` for one of thousands of digits.
   */
  value(from: number): number {
    if (this.#isShort) {
      const short = this.#short(from);
      if (!Number.isNaN(short)) return short;
    }
    this.#scan(from);
    return this.#value();
  }

  /**
   * The number at `from` as FP32 has it, which is what rounding it to a double and then to FP32 gives.
   * @throws ServeError as `value` does.
   */
  float32(from: number): number {
    if (this.#isShort) {
      const short = this.#short(from);
      if (!Number.isNaN(short)) return Math.fround(short);
    }
    this.#scan(from);
    return this.#float32();
  }

  /** True for NaN and the infinities: all others end with a digit. */
  get isNamed(): boolean {
    return !isDigit(this.#bytes[this.at - 1] ?? 0);
  }

  /** The number that was read last, as it stands in the bytes. */
  text(): string {
    return this.#bytes.toString('latin1', this.#start, this.at);
  }

  /**
   * A number of few digits and no exponent, with a comma or a bracket behind it, is two exact doubles and one division; all in
   * one go, which takes a third of the time. NaN, and nothing read, for any other.
   */
  #short(from: number): number {
    const bytes = this.#bytes;
    const isNegative = bytes[from] === BYTE.minus;
    const first = isNegative ? from + 1 : from;
    const until = from + SHORT_BYTES_MAX;
    let at = first;
    let byte = bytes[at] ?? 0;
    let digits = 0;
    let pointAt = 0;
    while (at < until) {
      if (isDigit(byte)) digits = digits * 10 + (byte - BYTE.zero);
      else if (byte === BYTE.dot && pointAt === 0) pointAt = at;
      else break;
      at += 1;
      byte = bytes[at] ?? 0;
    }
    if (!isPlain(bytes, first, at)) return Number.NaN;
    this.#start = from;
    this.at = at;
    const value = pointAt === 0 ? digits : digits / (POWERS_OF_TEN[at - 1 - pointAt] ?? 1);
    return isNegative ? -value : value;
  }

  /** Takes the number at `from` apart. */
  #scan(from: number): void {
    const bytes = this.#bytes;
    let at = from;
    let byte = bytes[at] ?? 0;
    this.#start = from;
    this.#isNegative = byte === BYTE.minus;
    if (this.#isNegative) {
      at += 1;
      byte = bytes[at] ?? 0;
    }
    this.#lowDigits = 0;
    this.#scale = 0;
    if (!isDigit(byte)) {
      this.#scanName(at);
      return;
    }
    at = this.#scanWhole(at);
    byte = bytes[at] ?? 0;
    if (byte === BYTE.dot) {
      at = this.#scanFraction(at + 1);
      byte = bytes[at] ?? 0;
    }
    if (byte === BYTE.lowerE || byte === BYTE.upperE) at = this.#scanExponent(at + 1);
    if (at - from >= NUMERAL_BYTES_MAX) throw tooLong(at - from);
    this.at = at;
    this.#isShort = at - from <= SHORT_BYTES_MAX;
  }

  /**
   * Almost always an estimate decides: where all that is within its error rounds to the same FP32, so does the number itself.
   */
  #float32(): number {
    const estimate = this.#estimate();
    const error = estimate * ESTIMATE_ERROR;
    const rounded = Math.fround(estimate - error);
    // Not so for NaN, which is what becomes of a named number and of one that has no estimate.
    if (rounded === Math.fround(estimate + error)) return this.#isNegative ? -rounded : rounded;
    return Math.fround(this.#value());
  }

  #value(): number {
    const value = this.#magnitude();
    return this.#isNegative ? -value : value;
  }

  #estimate(): number {
    if (this.#isLong) return Number.NaN;
    const high = this.#high;
    const digits = this.#lowDigits === 0 ? high : high * powerOfTen(this.#lowDigits) + this.#low;
    return scaled(digits, this.#scale);
  }

  /**
   * Up to 15 digits and a power of ten up to 22 are both exact doubles, so their product or quotient is correctly rounded
   * (Clinger, How to Read Floating Point Numbers Accurately, 1990). More digits over such a power go through `quotient`,
   * and the rest through Number().
   */
  #magnitude(): number {
    const scale = this.#scale;
    if (!this.#isLong && Math.abs(scale) <= EXACT_POWER_MAX) {
      const value = this.#lowDigits === 0 ? scaled(this.#high, scale) : this.#quotient();
      if (!Number.isNaN(value)) return value;
    }
    if (this.isNamed) return this.#high;
    return Math.abs(Number(this.text()));
  }

  /**
   * (high * 10^lowDigits + low) / 10^-scale to twice a double's digits, as a quotient and what it leaves over; NaN where even
   * that does not decide which of two doubles is nearer, and where the divisor is 0.
   */
  #quotient(): number {
    if (this.#scale >= 0 || this.#lowDigits > HIGH_DIGITS) return Number.NaN;
    const divisor = powerOfTen(-this.#scale);
    const factor = powerOfTen(this.#lowDigits);
    const product = this.#high * factor;
    // With low digits there are at least 11 high ones, so the product is the larger and the rest of the sum is exact.
    const sum = product + this.#low;
    const sumRest = this.#low - (sum - product) + productRest(this.#high, factor, product);
    const first = sum / divisor;
    const back = first * divisor;
    const remainder = sum - back - productRest(first, divisor, back);
    const second = (remainder + sumRest) / divisor;
    const error = ((Math.abs(remainder) + Math.abs(sumRest)) / divisor) * 2 ** -50;
    const value = first + (second - error);
    return value === first + (second + error) ? value : Number.NaN;
  }

  #scanWhole(from: number): number {
    const bytes = this.#bytes;
    const limit = from + NUMERAL_BYTES_MAX;
    let at = from;
    let high = 0;
    let byte = bytes[at] ?? 0;
    while (isDigit(byte) && at < limit) {
      high = high * 10 + (byte - BYTE.zero);
      at += 1;
      byte = bytes[at] ?? 0;
    }
    if (at - from > 1 && bytes[from] === BYTE.zero) {
      throw malformed(bytes, from, 'a number without leading zeros');
    }
    this.#high = high;
    this.#isLong = at - from > HIGH_DIGITS;
    return at;
  }

  #scanFraction(from: number): number {
    const bytes = this.#bytes;
    let at = this.#isLong ? from : this.#scanFours(from);
    const limit = from + NUMERAL_BYTES_MAX;
    const lowFrom = at;
    let low = 0;
    let byte = bytes[at] ?? 0;
    while (isDigit(byte) && at < limit) {
      low = low * 10 + (byte - BYTE.zero);
      at += 1;
      byte = bytes[at] ?? 0;
    }
    if (at === from) throw malformed(bytes, at, 'a digit');
    this.#lowDigits = at - lowFrom;
    this.#low = low;
    this.#scale = from - at;
    this.#fold();
    return at;
  }

  /** Takes digits into `high`, four at a time, for as long as four more are sure to fit. */
  #scanFours(from: number): number {
    const view = this.#view;
    const last = Math.min(view.byteLength - 4, from + NUMERAL_BYTES_MAX);
    let high = this.#high;
    let at = from;
    while (high < HIGH_FULL && at <= last) {
      const digits = (view.getInt32(at, true) - 0x30303030) | 0;
      // Each byte is a digit if it is 0 to 9 now: neither it nor it plus 0x76 may reach the uppermost bit.
      if (((digits | (digits + 0x76767676)) & 0x80808080) !== 0) break;
      const pairs = (Math.imul(digits, 10) + (digits >>> 8)) & 0x00ff00ff;
      high = high * 10_000 + ((Math.imul(pairs, 100) + (pairs >>> 16)) & 0xffff);
      at += 4;
    }
    this.#high = high;
    return at;
  }

  /** Puts low digits into `high` where they fit. */
  #fold(): void {
    const digits = this.#lowDigits;
    if (digits === 0 || digits > 4 || this.#high >= HIGH_FULL) return;
    this.#high = this.#high * powerOfTen(digits) + this.#low;
    this.#lowDigits = 0;
  }

  #scanExponent(from: number): number {
    const bytes = this.#bytes;
    const sign = bytes[from] ?? 0;
    let at = sign === BYTE.minus || sign === BYTE.plus ? from + 1 : from;
    const limit = at + NUMERAL_BYTES_MAX;
    let exponent = 0;
    let byte = bytes[at] ?? 0;
    if (!isDigit(byte)) throw malformed(bytes, at, 'a digit');
    while (isDigit(byte) && at < limit) {
      exponent = exponent * 10 + (byte - BYTE.zero);
      at += 1;
      byte = bytes[at] ?? 0;
    }
    this.#scale += sign === BYTE.minus ? -exponent : exponent;
    return at;
  }

  #scanName(from: number): void {
    const name = this.#bytes.toString('latin1', from, from + 8);
    this.#isLong = false;
    if (name === 'Infinity') {
      this.#high = Infinity;
      this.at = from + 8;
    } else if (!this.#isNegative && name.startsWith('NaN')) {
      this.#high = Number.NaN;
      this.at = from + 3;
    } else throw malformed(this.#bytes, this.#start, 'a number');
  }
}

/** From here on four more digits might be more than 15. */
const HIGH_FULL = 10 ** (HIGH_DIGITS - 4);

/**
 * Of digits with a point among them perhaps: true if they begin and end with a digit, not with a zero too many, and what
 * follows is a comma or a bracket.
 */
function isPlain(bytes: Buffer, first: number, end: number): boolean {
  const next = bytes[end];
  if (next !== BYTE.comma && next !== BYTE.closeBracket) return false;
  if (!isDigit(bytes[first] ?? 0) || !isDigit(bytes[end - 1] ?? 0)) return false;
  return bytes[first] !== BYTE.zero || !isDigit(bytes[first + 1] ?? 0);
}

function isDigit(byte: number): boolean {
  return byte >= BYTE.zero && byte <= BYTE.nine;
}

function scaled(value: number, scale: number): number {
  if (scale === 0) return value;
  return scale < 0 ? value / powerOfTen(-scale) : value * powerOfTen(scale);
}

/** NaN beyond the table. */
function powerOfTen(power: number): number {
  return power <= POWER_MAX ? (POWERS_OF_TEN[power] ?? Number.NaN) : Number.NaN;
}

function tooLong(found: number): ServeError {
  return new ServeError(
    'too_large',
    `a number is over the limit: expected at most ${NUMERAL_BYTES_MAX} bytes, found ${found} or more`,
  );
}
