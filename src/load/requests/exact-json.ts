/**
 * A JSON reader that loses nothing. `JSON.parse` rounds whole numbers beyond 2^53, which INT64 has, and refuses the bare words
 * NaN, Infinity and -Infinity, which servers and clients of the protocol write.
 */

/** A value of JSON; a whole number that a double may not hold is a bigint. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

const DEPTH_MAX = 64;
const FOUND_LENGTH_MAX = 20;

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|Infinity)|NaN/y;
const WORDS: ReadonlyMap<string, Json> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Where a text stops being JSON. */
export class NotJsonError extends Error {
  /** In characters from 0. */
  readonly at: number;

  constructor(at: number, expected: string, found: string) {
    super(`not JSON at character ${at}: expected ${expected}, found ${found}`);
    this.name = 'NotJsonError';
    this.at = at;
  }
}

/** @throws NotJsonError */
export function parseExactJson(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

/**
 * Where in a text of JSON the value at a path begins, in characters from 0; that of the nearest value around it where there is
 * none. Reads the text once more: for messages.
 */
export function offsetIn(text: string, path: readonly string[]): number {
  const reader = new Reader(text, path);
  reader.value(0);
  return reader.nearest;
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** A value as text, cut off where it is long. */
export function showJson(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (isJsonArray(value)) return `a list of ${value.length}`;
  if (isJsonObject(value)) return 'an object';
  if (typeof value !== 'string') return String(value);
  const short = value.length > FOUND_LENGTH_MAX ? `${value.slice(0, FOUND_LENGTH_MAX)}...` : value;
  return JSON.stringify(short);
}

class Reader {
  readonly #text: string;
  /** What is looked for, and how much of the way to it has been come. */
  readonly #path: readonly string[];
  #reached = 0;
  #at = 0;
  nearest = 0;

  constructor(text: string, path: readonly string[] = []) {
    this.#text = text;
    this.#path = path;
  }

  value(depth: number): Json {
    this.#space();
    const next = this.#text[this.#at];
    if (next === '{' || next === '[') {
      if (depth === DEPTH_MAX) throw this.#wrong(`at most ${DEPTH_MAX} levels`);
      return next === '{' ? this.#object(depth) : this.#array(depth);
    }
    if (next === '"') return this.#string();
    return this.#number() ?? this.#word();
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) throw this.#wrong('the end');
  }

  #object(depth: number): JsonObject {
    // Without a prototype: a name such as `__proto__` is a name like any other.
    const found: Record<string, Json> = Object.create(null);
    this.#list('}', () => {
      this.#space();
      const name = this.#string();
      this.#pass(':');
      found[name] = this.#inner(name, depth);
    });
    return found;
  }

  #array(depth: number): Json[] {
    const found: Json[] = [];
    this.#list(']', () => found.push(this.#inner(String(found.length), depth)));
    return found;
  }

  #inner(name: string, depth: number): Json {
    if (this.#reached !== depth || this.#path[depth] !== name) return this.value(depth + 1);
    this.#reached = depth + 1;
    this.#space();
    this.nearest = this.#at;
    return this.value(depth + 1);
  }

  #list(close: string, element: () => void): void {
    this.#at += 1;
    this.#space();
    while (this.#text[this.#at] !== close) {
      element();
      this.#space();
      if (this.#text[this.#at] === close) break;
      this.#pass(',');
      this.#space();
      if (this.#text[this.#at] === close) throw this.#wrong('a value');
    }
    this.#at += 1;
  }

  #string(): string {
    const start = this.#at;
    if (this.#text[start] !== '"') throw this.#wrong('a string');
    let end = this.#text.indexOf('"', start + 1);
    while (end !== -1 && isEscaped(this.#text, end)) end = this.#text.indexOf('"', end + 1);
    if (end === -1) throw this.#wrong('a string with an end');
    try {
      const value: string = JSON.parse(this.#text.slice(start, end + 1));
      this.#at = end + 1;
      return value;
    } catch {
      throw this.#wrong('a string');
    }
  }

  #number(): number | bigint | undefined {
    const [literal, fraction, exponent] = this.#take(NUMBER) ?? [];
    if (literal === undefined) return undefined;
    const value = Number(literal);
    const isWhole = fraction === undefined && exponent === undefined;
    return isWhole && Number.isInteger(value) && !Number.isSafeInteger(value)
      ? BigInt(literal)
      : value;
  }

  #word(): Json {
    for (const [word, meaning] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return meaning;
    }
    throw this.#wrong('a value');
  }

  #space(): void {
    // Most often there is none.
    if (this.#text.charCodeAt(this.#at) <= 0x20) this.#take(SPACE);
  }

  #pass(mark: string): void {
    this.#space();
    if (this.#text[this.#at] !== mark) throw this.#wrong(`'${mark}'`);
    this.#at += 1;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text) ?? undefined;
    this.#at += found?.[0].length ?? 0;
    return found;
  }

  #wrong(expected: string): NotJsonError {
    const near = this.#text.slice(this.#at, this.#at + FOUND_LENGTH_MAX);
    const found = near === '' ? 'the end' : JSON.stringify(near);
    return new NotJsonError(this.#at, expected, found);
  }
}

/** Whether an odd number of backslashes stands before the place. */
function isEscaped(text: string, place: number): boolean {
  let first = place;
  while (text[first - 1] === '\\') first -= 1;
  return (place - first) % 2 === 1;
}
