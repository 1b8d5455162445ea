import { ServeError } from '../../core/errors.ts';

/** The bytes that JSON is made of. */
export const BYTE = {
  space: 0x20,
  quote: 0x22,
  plus: 0x2b,
  comma: 0x2c,
  minus: 0x2d,
  dot: 0x2e,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  upperE: 0x45,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  lowerE: 0x65,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/** Space, tab, line feed or carriage return. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/**
 * The longest string with escapes, in bytes. Escapes are read one by one without a pause, on the serving thread; a string
 * without any is searched and copied natively, so one of megabytes costs little.
 */
const ESCAPED_BYTES_MAX = 262_144;

/**
 * The index of the quote that closes a string whose opening quote is at `open`; -1 if there is none before `end`.
 * @throws ServeError `too_large` for a long string with escapes.
 */
export function closingQuote(bytes: Buffer, open: number, end: number): number {
  let at = bytes.indexOf(BYTE.quote, open + 1);
  while (at !== -1 && at < end) {
    if (!isEscaped(bytes, at)) return at;
    checkEscaped(at - open);
    at = bytes.indexOf(BYTE.quote, at + 1);
  }
  return -1;
}

/** @throws ServeError `too_large` for a string with escapes of so many bytes. */
export function checkEscaped(stringBytes: number): void {
  if (stringBytes <= ESCAPED_BYTES_MAX) return;
  throw new ServeError(
    'too_large',
    `a string with escapes is over the limit: expected at most ${ESCAPED_BYTES_MAX} bytes, found ${stringBytes} or more. Use the binary data format`,
  );
}

function isEscaped(bytes: Buffer, at: number): boolean {
  let slashes = 0;
  while (bytes[at - 1 - slashes] === BYTE.backslash) {
    slashes += 1;
    checkEscaped(slashes);
  }
  return slashes % 2 === 1;
}

/** A refusal that shows where the JSON went wrong: what was expected at which byte, and what stands there. */
export function malformed(bytes: Buffer, at: number, expected: string): ServeError {
  const found =
    at >= bytes.byteLength
      ? 'the end of the JSON'
      : JSON.stringify(bytes.toString('latin1', at, Math.min(at + 12, bytes.byteLength)));
  return new ServeError(
    'invalid_input',
    `failed to parse the request JSON buffer: expected ${expected} at byte ${at}, found ${found}`,
  );
}
