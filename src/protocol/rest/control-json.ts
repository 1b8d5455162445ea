/**
 * The JSON of calls that are not inference: small but for the files that a load may bring along as base64 text. Long strings are
 * cut out by a scan in slices and the rest goes through JSON.parse, so that a package of megabytes never holds up the thread
 * that serves requests.
 */

import { runSliced, type SlicedTask, type TimeSlicer } from '../../concurrency/time-slicer.ts';
import { ServeError } from '../../core/errors.ts';
import { unexpected } from '../refusal.ts';
import { BYTE, checkEscaped, closingQuote } from './json-bytes.ts';
import { parseJson, utf8TextOf } from './json-text.ts';
import type { RestLimits } from './limits.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** What remains once long strings are cut out is parsed in one go. */
const REST_BYTES_MAX = 65_536;

/** A string of more bytes is cut out. */
const SHORT_BYTES_MAX = 4_096;

/**
 * Reads a call's body; none at all is an empty object. In the place of each long string stands a LongText.
 * @throws ServeError `invalid_input` or `too_large`.
 */
export async function readControlJson(
  body: unknown,
  limits: Pick<RestLimits, 'jsonDepthMax'>,
  slicer: TimeSlicer,
): Promise<JsonObject> {
  if (!Buffer.isBuffer(body) || body.byteLength === 0) return {};
  const scanner = new Scanner(body, limits.jsonDepthMax);
  await runSliced(scanner, slicer);
  return objectIn(scanner.value(), 'request');
}

/** The object under a name; none at all is an empty one. */
export function objectAt(json: JsonObject, name: string): JsonObject {
  const value = json[name];
  return value === undefined ? {} : objectIn(value, name);
}

/** The flag under a name. */
export function flagAt(json: JsonObject, name: string): boolean | undefined {
  const value = json[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw unexpected(name, 'true or false', value);
}

/** A string that was cut out. */
export class LongText {
  /** Between the quotes, escapes and all. */
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /**
   * @throws ServeError `invalid_input` for an escape that is none and for what is no UTF-8, `too_large` where there are more
   * escapes than can be read in one go.
   */
  text(): string {
    if (!this.#bytes.includes(BYTE.backslash)) return utf8TextOf(this.#bytes);
    checkEscaped(this.#bytes.byteLength);
    return parseJson(Buffer.concat([QUOTE, this.#bytes, QUOTE])) as string;
  }

  /** The text in latin1, which base64 text is, as bytes. */
  bytes(): Buffer {
    return this.#bytes.includes(BYTE.backslash) ? Buffer.from(this.text(), 'latin1') : this.#bytes;
  }

  /** As messages show it. */
  toJSON(): string {
    return this.#bytes.toString('latin1', 0, SHOWN_BYTES);
  }
}

const SHOWN_BYTES = 100;

const QUOTE = Buffer.of(BYTE.quote);

/** Finds the long strings, and counts how deep the rest is nested. */
class Scanner implements SlicedTask {
  readonly #bytes: Buffer;
  readonly #depthMax: number;
  readonly #texts: LongText[] = [];
  readonly #kept: Buffer[] = [];
  #at = 0;
  #keptFrom = 0;
  #keptBytes = 0;
  #depth = 0;

  constructor(bytes: Buffer, depthMax: number) {
    this.#bytes = bytes;
    this.#depthMax = depthMax;
  }

  step(budgetBytes: number): boolean {
    const until = Math.min(this.#bytes.byteLength, this.#at + budgetBytes);
    while (this.#at < until) {
      const byte = this.#bytes[this.#at];
      if (byte === BYTE.quote) this.#passString();
      else this.#pass(byte);
    }
    this.#check();
    return this.#at >= this.#bytes.byteLength;
  }

  /** An array of a number alone stands for the long string of that index. */
  value(): unknown {
    this.#keep(this.#bytes.byteLength);
    return parseJson(Buffer.concat(this.#kept), (value) => {
      const isPlace = Array.isArray(value) && value.length === 1 && typeof value[0] === 'number';
      return (isPlace ? this.#texts[value[0]] : undefined) ?? value;
    });
  }

  #pass(byte: number | undefined): void {
    if (byte === BYTE.openBrace || byte === BYTE.openBracket) this.#enter();
    else if (byte === BYTE.closeBrace || byte === BYTE.closeBracket) this.#depth -= 1;
    this.#at += 1;
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth <= this.#depthMax) return;
    throw new ServeError(
      'invalid_input',
      `the request JSON is nested too deep: expected at most ${this.#depthMax} levels, found ${this.#depth} or more`,
    );
  }

  #passString(): void {
    const open = this.#at;
    const close = closingQuote(this.#bytes, open, this.#bytes.byteLength);
    // What JSON.parse is then given is cut off where the string begins, and it says so.
    this.#at = close === -1 ? this.#bytes.byteLength : close + 1;
    if (this.#at - open <= SHORT_BYTES_MAX) return;
    this.#keep(open);
    this.#kept.push(Buffer.from(`[${this.#texts.length}]`));
    this.#texts.push(new LongText(this.#bytes.subarray(open + 1, this.#at - 1)));
    this.#keptFrom = this.#at;
  }

  #keep(until: number): void {
    this.#kept.push(this.#bytes.subarray(this.#keptFrom, until));
    this.#keptBytes += until - this.#keptFrom;
    this.#keptFrom = until;
  }

  #check(): void {
    const found = this.#keptBytes + this.#at - this.#keptFrom;
    if (found > REST_BYTES_MAX) {
      throw new ServeError(
        'too_large',
        `the request JSON is over the limit: expected at most ${REST_BYTES_MAX} bytes beside long strings, found ${found} or more`,
      );
    }
  }
}

function objectIn(value: unknown, where: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    if (!(value instanceof LongText)) return value as JsonObject;
  }
  throw unexpected(where, 'a JSON object', value);
}
