import { isUtf8 } from 'node:buffer';
import type { ElementReader, ElementSource } from './element-reader.ts';
import { BYTE, checkEscaped, closingQuote, malformed } from './json-bytes.ts';

/**
 * BYTES: each element becomes its length as a little-endian uint32 and its bytes in UTF-8, which are never more than its JSON.
 * All go into one buffer: an object for each of millions of short strings would take gigabytes. What is not written to takes
 * no memory.
 */
export function stringReader(source: ElementSource): ElementReader {
  const { json, capacity, jsonBytes } = source;
  const target = Buffer.allocUnsafe(capacity * 4 + jsonBytes);
  let end = 0;
  const reader = {
    count: 0,
    read(at: number): number {
      if (json[at] !== BYTE.quote) {
        throw malformed(json, at, `a string in the data of input '${source.name}'`);
      }
      const close = closingQuote(json, at, json.byteLength);
      if (close === -1) throw malformed(json, json.byteLength, 'the end of a string');
      if (reader.count < capacity) {
        const text = stringBytes(json, at, close);
        end = target.writeUInt32LE(text.byteLength, end);
        target.set(text, end);
        end += text.byteLength;
      }
      reader.count += 1;
      return close + 1;
    },
    bytes: () => target.subarray(0, end),
  };
  return reader;
}

function stringBytes(json: Buffer, open: number, close: number): Buffer {
  const inner = json.subarray(open + 1, close);
  // A character put in for what is no UTF-8 would be longer than what it replaces.
  if (!isUtf8(inner)) throw malformed(json, open, 'a string in UTF-8');
  if (!inner.includes(BYTE.backslash)) return inner;
  checkEscaped(inner.byteLength);
  const text = unescaped(json.toString('utf8', open, close + 1));
  if (text === undefined) throw malformed(json, open, 'a string with escapes as JSON has them');
  // UTF-8 has no form for it, and another character would take its place.
  if (/\p{Surrogate}/u.test(text)) {
    throw malformed(json, open, 'a string in UTF-8, its surrogate escapes in pairs');
  }
  return Buffer.from(text);
}

function unescaped(quoted: string): string | undefined {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return undefined;
  }
}
