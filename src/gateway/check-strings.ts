import { isUtf8 } from 'node:buffer';

import { ServeError } from '../core/errors.ts';
import { elementCount, type Tensor } from '../core/tensor.ts';

/**
 * Elements of BYTES in one request, over all inputs. Each costs four bytes to send and a hundred in the process of the model, which
 * answers no other request meanwhile.
 */
export const STRINGS_MAX = 1_048_576;

/** @throws ServeError `too_large` where the inputs have more strings together than a request may have. */
export function checkStringCount(inputs: readonly Pick<Tensor, 'dtype' | 'shape'>[]): void {
  let found = 0;
  for (const { dtype, shape } of inputs) if (dtype === 'BYTES') found += elementCount(shape);
  if (found <= STRINGS_MAX) return;
  throw new ServeError(
    'too_large',
    `too many strings: expected at most ${STRINGS_MAX} elements of BYTES in one request, found ${found}`,
  );
}

/** From here on the native checks, which cost a view each, are the faster ones. Bytes. */
const LONG_BYTES = 64;

/**
 * BYTES: every element is a little-endian uint32 length and that many bytes, which are text in UTF-8 without a zero byte. The
 * runtime takes nothing else, so other bytes would fail on whichever version is asked.
 *
 * @throws ServeError `invalid_input`, saying which element, what was expected and what was found.
 */
export function checkStrings(tensor: Tensor, where: string): void {
  const { data } = tensor;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const expected = elementCount(tensor.shape);
  let at = 0;
  let found = 0;
  while (at < bytes.byteLength) {
    if (at + 4 > bytes.byteLength) {
      throw invalid(
        `incomplete string length indicator for ${where}. Expected 4 bytes at byte ${at}, got ${bytes.byteLength - at}`,
      );
    }
    const length = bytes.readUInt32LE(at);
    at += 4;
    if (length > bytes.byteLength - at) {
      throw invalid(
        `incomplete string data for ${where}. Expected a string of ${length} bytes at byte ${at}, got ${bytes.byteLength - at} bytes`,
      );
    }
    if (!isText(bytes, at, at + length))
      throw notText(bytes.subarray(at, at + length), found, where);
    at += length;
    found += 1;
    if (found > STRINGS_MAX) break;
  }
  if (found !== expected) {
    throw invalid(
      `unexpected number of string elements for ${where}. Expected ${expected}, got ${found}`,
    );
  }
}

function isText(bytes: Buffer, start: number, end: number): boolean {
  if (end - start >= LONG_BYTES) {
    const element = bytes.subarray(start, end);
    return !element.includes(0) && isUtf8(element);
  }
  let at = start;
  while (at < end) {
    const length = characterLength(bytes, at, end);
    if (length === 0) return false;
    at += length;
  }
  return true;
}

/** The bytes of the character at `at`; 0 where there is none, or a zero byte. */
function characterLength(bytes: Buffer, at: number, end: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return first === 0 ? 0 : 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = lengthBy(first);
  if (at + length > end) return 0;
  const second = bytes[at + 1] ?? 0;
  if (second < lowestSecond(first) || second > highestSecond(first)) return 0;
  if (length > 2 && !isContinuation(bytes[at + 2])) return 0;
  return length === 4 && !isContinuation(bytes[at + 3]) ? 0 : length;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x80 && byte <= 0xbf;
}

function lengthBy(first: number): number {
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

/** A second byte below this would write a character longer than need be. */
function lowestSecond(first: number): number {
  return first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
}

/** A second byte above this would be half of a surrogate pair, or beyond the last character. */
function highestSecond(first: number): number {
  return first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
}

function notText(element: Buffer, index: number, where: string): ServeError {
  const zero = element.indexOf(0);
  const got = zero === -1 ? 'bytes that are not UTF-8' : `a zero byte at its byte ${zero}`;
  return invalid(
    `unexpected string element ${index} for ${where}. Expected text in UTF-8 without zero bytes, got ${got}. Send binary data as base64 or as UINT8`,
  );
}

function invalid(message: string): ServeError {
  return new ServeError('invalid_input', message);
}
