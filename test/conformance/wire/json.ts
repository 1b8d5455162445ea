/**
 * A JSON reader that loses nothing: numbers keep their digits (JSON.parse rounds integers beyond 2^53), and the bare tokens NaN,
 * Infinity and -Infinity, which some servers write, are numbers too.
 */

export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

const NUMBER = /-?(?:Infinity|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|NaN/y;
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/y;
const SPACE = /[ \t\r\n]*/y;
const WORDS = { true: true, false: false, null: null } as const;

/** Throws an Error that says where the text stops being JSON. */
export function parseJson(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value();
  reader.end();
  return value;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof JsonNumber)
  );
}

export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): Json {
    this.#take(SPACE);
    const next = this.#text[this.#at];
    if (next === '{') return this.#object();
    if (next === '[') return this.#array();
    if (next === '"') return this.#string();
    for (const [word, meaning] of Object.entries(WORDS)) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return meaning;
    }
    const number = this.#take(NUMBER);
    if (number === undefined) throw this.#wrong('a value');
    return new JsonNumber(number);
  }

  end(): void {
    this.#take(SPACE);
    if (this.#at < this.#text.length) throw this.#wrong('the end');
  }

  #object(): JsonObject {
    const found: Record<string, Json> = {};
    this.#list('}', () => {
      this.#take(SPACE);
      const key = this.#string();
      this.#expect(':');
      found[key] = this.value();
    });
    return found;
  }

  #array(): Json[] {
    const found: Json[] = [];
    this.#list(']', () => found.push(this.value()));
    return found;
  }

  #list(close: string, element: () => void): void {
    this.#at += 1;
    this.#take(SPACE);
    if (this.#text[this.#at] === close) {
      this.#at += 1;
      return;
    }
    for (;;) {
      element();
      this.#take(SPACE);
      if (this.#text[this.#at] === close) break;
      this.#expect(',');
    }
    this.#at += 1;
  }

  #string(): string {
    const found = this.#take(STRING);
    if (found === undefined) throw this.#wrong('a string');
    return JSON.parse(found);
  }

  #expect(mark: string): void {
    this.#take(SPACE);
    if (this.#text[this.#at] !== mark) throw this.#wrong(mark);
    this.#at += 1;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #wrong(expected: string): Error {
    const near = JSON.stringify(this.#text.slice(this.#at, this.#at + 20));
    return new Error(`not JSON: expected ${expected} at byte ${this.#at}, found ${near}`);
  }
}
