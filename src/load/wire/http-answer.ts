import type { Answer } from '../nouns/sender.ts';

/** One whole answer. `error` is its status where that is none of success (2xx). */
export type HttpAnswer = Answer & { readonly status: number };

const HEAD_BYTES_MAX = 64 * 1024;
const BODY_BYTES_MAX = 64 * 1024 * 1024;
/** A size in hexadecimal digits, with optional chunk extensions. */
const LINE_BYTES_MAX = 4 * 1024;
const END_OF_HEAD = Buffer.from('\r\n\r\n');
const END_OF_LINE = Buffer.from('\r\n');
const NOTHING = Buffer.alloc(0);

/** What is being read. `left`: bytes that are still to come. */
type State =
  | { readonly kind: 'head' }
  | { readonly kind: 'body'; left: number }
  | { readonly kind: 'chunk'; left: number }
  | { readonly kind: 'chunk size' | 'chunk end' | 'trailers' | 'until close' };

type Head = {
  readonly text: string;
  readonly status: number;
  readonly keepsAlive: boolean;
  /** How the end of the body is found: by its length, or otherwise. */
  readonly framing: number | 'chunks' | 'until close';
};

const HEAD: State = { kind: 'head' };

/**
 * Reads the answers of one HTTP/1.1 connection to requests other than HEAD and CONNECT, however their bytes are cut (RFC 9112,
 * section 6): with a length, in chunks, until the connection closes, or without a body. Throws an Error for what is no answer
 * or too long; nothing can be read after that.
 */
export class AnswerReader {
  #state: State = HEAD;
  #head: Head = { text: '', status: 0, keepsAlive: true, framing: 0 };
  /** What has come and is not read yet. */
  #rest: Buffer = NOTHING;
  #body: Buffer[] = [];
  #bodyBytes = 0;
  #keepsAlive = true;

  /** False where the server closes the connection after its answer, or where more came than the answer. */
  get keepsAlive(): boolean {
    return this.#keepsAlive && this.#rest.length === 0;
  }

  /** The answer, where `bytes` complete one. */
  take(bytes: Buffer): HttpAnswer | undefined {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const before = this.#state;
      const left = this.#rest.length;
      const answer = this.#step();
      if (answer) return answer;
      if (this.#state === before && this.#rest.length === left) return undefined;
    }
  }

  /** The connection has ended. The answer, where that is its end. */
  end(): HttpAnswer | undefined {
    return this.#state.kind === 'until close' ? this.#whole() : undefined;
  }

  #step(): HttpAnswer | undefined {
    const state = this.#state;
    switch (state.kind) {
      case 'head':
        return this.#readHead();
      case 'body':
        state.left -= this.#readBody(state.left);
        return state.left === 0 ? this.#whole() : undefined;
      case 'chunk':
        state.left -= this.#readBody(state.left);
        if (state.left === 0) this.#state = { kind: 'chunk end' };
        return undefined;
      case 'until close':
        this.#readBody(this.#rest.length);
        return undefined;
      default:
        return this.#readLine(state.kind);
    }
  }

  #readHead(): HttpAnswer | undefined {
    const end = this.#rest.indexOf(END_OF_HEAD);
    if (end < 0 ? this.#rest.length > HEAD_BYTES_MAX : end > HEAD_BYTES_MAX)
      throw new Error('the answer has no end of head within 64 KiB');
    if (end < 0) return undefined;
    const text = this.#rest.toString('latin1', 0, end);
    this.#rest = this.#rest.subarray(end + END_OF_HEAD.length);
    // Most answers of a server have the same header.
    const head = text === this.#head.text ? this.#head : headIn(text);
    // Only an announcement: the answer comes after it.
    if (head.status >= 100 && head.status < 200 && head.status !== 101) return undefined;
    this.#head = head;
    this.#keepsAlive = head.keepsAlive;
    this.#state = stateAfter(head);
    return undefined;
  }

  /** How many bytes of the body were there, `most` at most. */
  #readBody(most: number): number {
    const bytes = Math.min(most, this.#rest.length);
    if (bytes === 0) return 0;
    this.#bodyBytes += bytes;
    if (this.#bodyBytes > BODY_BYTES_MAX) throw tooLong();
    this.#body.push(this.#rest.subarray(0, bytes));
    this.#rest = this.#rest.subarray(bytes);
    return bytes;
  }

  #readLine(kind: 'chunk size' | 'chunk end' | 'trailers'): HttpAnswer | undefined {
    const end = this.#rest.indexOf(END_OF_LINE);
    if (end < 0) {
      if (this.#rest.length > LINE_BYTES_MAX) throw new Error('a line of the answer has no end');
      return undefined;
    }
    const line = this.#rest.toString('latin1', 0, end);
    this.#rest = this.#rest.subarray(end + END_OF_LINE.length);
    if (kind === 'trailers') return line === '' ? this.#whole() : undefined;
    if (kind === 'chunk end') {
      if (line !== '') throw new Error('a chunk of the answer is longer than it says');
      this.#state = { kind: 'chunk size' };
      return undefined;
    }
    const left = chunkSizeOf(line);
    this.#state = left === 0 ? { kind: 'trailers' } : { kind: 'chunk', left };
    return undefined;
  }

  #whole(): HttpAnswer {
    const { text, status } = this.#head;
    const [first = NOTHING] = this.#body;
    const body = this.#body.length > 1 ? Buffer.concat(this.#body) : first;
    this.#state = HEAD;
    this.#body = [];
    this.#bodyBytes = 0;
    const error = status >= 200 && status < 300 ? undefined : String(status);
    return { status, error, head: text, body };
  }
}

function stateAfter({ framing }: Head): State {
  if (typeof framing === 'number') return { kind: 'body', left: framing };
  return { kind: framing === 'chunks' ? 'chunk size' : 'until close' };
}

function headIn(text: string): Head {
  const status = statusOf(text);
  const head = text.toLowerCase();
  const framing = framingIn(head, status);
  return { text, status, framing, keepsAlive: framing !== 'until close' && keepsAliveIn(head) };
}

function keepsAliveIn(head: string): boolean {
  const connection = valueIn(head, 'connection');
  if (head.startsWith('http/1.0')) return connection?.includes('keep-alive') === true;
  return connection?.includes('close') !== true;
}

function framingIn(head: string, status: number): Head['framing'] {
  if (status === 101 || status === 204 || status === 304) return 0;
  const coding = valueIn(head, 'transfer-encoding');
  if (coding !== undefined) return coding.endsWith('chunked') ? 'chunks' : 'until close';
  const length = valueIn(head, 'content-length');
  return length === undefined ? 'until close' : lengthOf(length);
}

/** The value of a header in a raw head; undefined if it is not there. Names are compared without case. */
export function headerOf(head: string, name: string): string | undefined {
  const [from, to] = placeOf(head.toLowerCase(), name.toLowerCase());
  return from < 0 ? undefined : head.slice(from, to).trim();
}

/** As `headerOf`, in a head of small letters. */
function valueIn(head: string, name: string): string | undefined {
  const [from, to] = placeOf(head, name);
  return from < 0 ? undefined : head.slice(from, to).trim();
}

function placeOf(head: string, name: string): [from: number, to: number | undefined] {
  const at = head.indexOf(`\r\n${name}:`);
  if (at < 0) return [-1, undefined];
  const from = at + name.length + 3;
  const to = head.indexOf('\r\n', from);
  return [from, to < 0 ? undefined : to];
}

function statusOf(head: string): number {
  const status = /^HTTP\/1\.\d (\d{3})(?!\d)/.exec(head)?.[1];
  if (status === undefined) throw new Error('the answer is not HTTP/1.1');
  return Number(status);
}

function lengthOf(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error('the length of the answer is no number');
  const bytes = Number(text);
  if (bytes > BODY_BYTES_MAX) throw tooLong();
  return bytes;
}

function chunkSizeOf(line: string): number {
  const digits = /^([0-9a-f]{1,12})\s*(?:;|$)/i.exec(line)?.[1];
  if (digits === undefined) throw new Error('a chunk of the answer does not say its size');
  return Number.parseInt(digits, 16);
}

function tooLong(): Error {
  return new Error('the body of the answer is longer than 64 MiB');
}
