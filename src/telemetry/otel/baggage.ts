import { shortened } from './shortened.ts';

/** Longest header that is read, in characters. W3C asks for 8,192 bytes. */
const HEADER_MAX = 8_192;

/**
 * The members of a W3C `baggage` header that have one of these keys. Anything else in it is skipped, and a header that is too
 * long is not read.
 */
export function baggageOf(
  header: string | undefined,
  keys: readonly string[],
): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  if (header === undefined || keys.length === 0 || header.length > HEADER_MAX) return found;
  for (const member of header.split(',')) {
    const [pair = ''] = member.split(';');
    const equals = pair.indexOf('=');
    if (equals < 1) continue;
    const key = pair.slice(0, equals).trim();
    if (!keys.includes(key) || Object.hasOwn(found, key)) continue;
    found[key] = shortened(decoded(pair.slice(equals + 1).trim()));
  }
  return found;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
