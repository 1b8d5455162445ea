import { runSliced, type SlicedTask, type TimeSlicer } from '../../concurrency/time-slicer.ts';
import { ServeError } from '../../core/errors.ts';
import { BYTE, closingQuote, malformed } from './json-bytes.ts';
import { Marks } from './json-marks.ts';
import { parseJson } from './json-text.ts';

/** From the opening bracket of an array to the byte after its closing one. */
export type ByteRange = { readonly start: number; readonly end: number };

/**
 * A request's JSON without its tensors. Every array under a key `data` of an object in an array of the root object is cut
 * out and stands in `value` as `[k]`, where `ranges[k]` says which bytes it was.
 */
export type JsonHead = { readonly value: unknown; readonly ranges: readonly ByteRange[] };

/** What remains once tensors are cut out is parsed in one go, so it has a bound of its own. */
const JSON_HEAD_BYTES_MAX = 65_536;

/**
 * Reads a request's JSON so that no large body blocks the serving thread: tensors are cut
 * out by a scan in slices, the small rest goes through JSON.parse, and tensors are read from their bytes later, into their
 * own datatype, without an array of numbers or a loss of 64-bit integers in between.
 * @throws ServeError `invalid_input` or `too_large`.
 */
export async function readJsonHead(
  bytes: Buffer,
  limits: { readonly jsonDepthMax: number },
  slicer: TimeSlicer,
): Promise<JsonHead> {
  if (isPlain(bytes)) return { value: parseJson(bytes), ranges: [] };
  const scanner = new HeadScanner(bytes, limits.jsonDepthMax);
  await runSliced(scanner, slicer);
  return scanner.head();
}

/** True where no key can be `data`, not even an escaped one, and the whole is small. */
function isPlain(bytes: Buffer): boolean {
  return (
    bytes.byteLength <= PLAIN_BYTES_MAX &&
    !bytes.includes('"data"') &&
    !bytes.includes(BYTE.backslash)
  );
}

/** Too small to be nested deep enough to hurt JSON.parse. */
const PLAIN_BYTES_MAX = 4_096;

/** No longer key can be `data`, every letter escaped. */
const KEY_BYTES_MAX = 32;

/** Bytes searched natively in the time of one that is looked at; more, but where brackets are dense there is little to gain. */
const NATIVE_SPEED = 8;

/** `data` sits in an object in an array in the root object. */
const DATA_DEPTH = 3;

class HeadScanner implements SlicedTask {
  readonly #bytes: Buffer;
  readonly #marks: Marks;
  readonly #depthMax: number;
  readonly #ranges: ByteRange[] = [];
  readonly #kept: Buffer[] = [];
  /** The opening bytes of the containers that the scan is inside of. */
  readonly #open: number[] = [];
  #at = 0;
  #keptFrom = 0;
  #keptBytes = 0;
  #awaitsKey = false;
  #keyIsData = false;
  /** Where the array that is being cut out began, and how many arrays deep the scan is in it; -1 outside. */
  #cutFrom = -1;
  #cutDepth = 0;

  constructor(bytes: Buffer, depthMax: number) {
    this.#bytes = bytes;
    this.#marks = new Marks(bytes);
    this.#depthMax = depthMax;
  }

  step(budgetBytes: number): boolean {
    const bytes = this.#bytes;
    let spent = 0;
    while (spent < budgetBytes && this.#at < bytes.byteLength) {
      const byte = bytes[this.#at] ?? 0;
      if (byte === BYTE.quote) this.#passString();
      else if (this.#cutFrom === -1) {
        this.#scan(byte);
        this.#at += 1;
      } else spent += this.#passElements(byte);
      spent += 1;
    }
    this.#checkKept();
    return this.#at >= bytes.byteLength;
  }

  head(): JsonHead {
    if (this.#cutFrom >= 0) throw malformed(this.#bytes, this.#at, 'the end of an array');
    this.#kept.push(this.#bytes.subarray(this.#keptFrom));
    return { value: parseJson(Buffer.concat(this.#kept)), ranges: this.#ranges };
  }

  #passString(): void {
    const open = this.#at;
    const close = closingQuote(this.#bytes, open, this.#bytes.byteLength);
    if (close === -1) throw malformed(this.#bytes, this.#bytes.byteLength, 'the end of a string');
    if (this.#awaitsKey) this.#keyIsData = this.#isData(open, close);
    this.#at = close + 1;
  }

  #isData(open: number, close: number): boolean {
    if (close - open > KEY_BYTES_MAX) return false;
    const key = this.#bytes.subarray(open, close + 1);
    return key.includes(BYTE.backslash)
      ? parseJson(key) === 'data'
      : key.toString('latin1') === '"data"';
  }

  #scan(byte: number): void {
    switch (byte) {
      case BYTE.openBrace:
      case BYTE.openBracket:
        if (byte === BYTE.openBracket && this.#isTensor()) this.#beginCut();
        else this.#enter(byte);
        break;
      case BYTE.closeBrace:
      case BYTE.closeBracket:
        this.#open.pop();
        this.#awaitsKey = false;
        break;
      case BYTE.comma:
        this.#awaitsKey = this.#open.at(-1) === BYTE.openBrace;
        break;
      case BYTE.colon:
        this.#awaitsKey = false;
        break;
      default:
    }
  }

  #isTensor(): boolean {
    const open = this.#open;
    return (
      this.#keyIsData &&
      !this.#awaitsKey &&
      open.length === DATA_DEPTH &&
      open[0] === BYTE.openBrace &&
      open[1] === BYTE.openBracket &&
      open[2] === BYTE.openBrace
    );
  }

  #enter(byte: number): void {
    this.#open.push(byte);
    if (this.#open.length > this.#depthMax) throw tooDeep(this.#depthMax);
    this.#awaitsKey = byte === BYTE.openBrace;
    this.#keyIsData = false;
  }

  #beginCut(): void {
    this.#kept.push(this.#bytes.subarray(this.#keptFrom, this.#at));
    this.#keptBytes += this.#at - this.#keptFrom;
    this.#cutFrom = this.#at;
    this.#cutDepth = 1;
  }

  /** Passes one byte of a tensor and the elements behind it, up to the next bracket or string. Returns what that cost. */
  #passElements(byte: number): number {
    this.#cut(byte);
    this.#at += 1;
    if (this.#cutFrom === -1) return 0;
    const next = this.#marks.next(this.#at);
    const passed = next - this.#at;
    this.#at = next;
    return passed / NATIVE_SPEED;
  }

  #cut(byte: number): void {
    if (byte === BYTE.openBracket) {
      this.#cutDepth += 1;
      if (this.#cutDepth > this.#depthMax) throw tooDeep(this.#depthMax);
    } else if (byte === BYTE.closeBracket) {
      this.#cutDepth -= 1;
      if (this.#cutDepth === 0) this.#endCut();
    }
  }

  #endCut(): void {
    const end = this.#at + 1;
    this.#kept.push(Buffer.from(`[${this.#ranges.length}]`));
    this.#ranges.push({ start: this.#cutFrom, end });
    this.#keptFrom = end;
    this.#cutFrom = -1;
    this.#keyIsData = false;
  }

  #checkKept(): void {
    const pending = this.#cutFrom >= 0 ? 0 : this.#at - this.#keptFrom;
    const found = this.#keptBytes + pending;
    if (found > JSON_HEAD_BYTES_MAX) {
      throw new ServeError(
        'too_large',
        `the JSON around the tensors is over the limit: expected at most ${JSON_HEAD_BYTES_MAX} bytes, found ${found} or more`,
      );
    }
  }
}

function tooDeep(depthMax: number): ServeError {
  return new ServeError(
    'invalid_input',
    `the request JSON is nested too deep: expected at most ${depthMax} levels, found ${depthMax + 1} or more`,
  );
}
