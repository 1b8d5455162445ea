import { isUtf8 } from 'node:buffer';

import { messageOf, ServeError } from '../../core/errors.ts';
import { withFirstKeys } from './first-keys.ts';

/**
 * A small JSON text, parsed in one go. Strictly: other programs put a character of their own in for bytes that are no UTF-8,
 * and an id would come back that was not sent. Of keys that an object has twice the first counts. `revive` is given each value, the innermost first, and gives what stands in its place.
 * @throws ServeError `invalid_input`.
 */
export function parseJson(bytes: Buffer, revive?: (value: unknown) => unknown): unknown {
  const text = utf8TextOf(bytes);
  const reviver = revive && ((_: string, each: unknown) => revive(each));
  let value = parsed(text, reviver);
  const first = withFirstKeys(text);
  if (first !== text) value = parsed(first, reviver);
  if (SURROGATE_ESCAPE.test(text) && hasHalfCharacter(value)) {
    throw new ServeError(
      'invalid_input',
      'failed to parse the request JSON buffer: expected surrogate escapes in pairs, found one alone',
    );
  }
  return value;
}

/** Half of a surrogate pair, or one that may be a half; few texts have any. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/** No text in UTF-8 has half a character: a reader puts another in its place. */
function hasHalfCharacter(value: unknown): boolean {
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([key, each]) => hasHalfCharacter(key) || hasHalfCharacter(each),
  );
}

function parsed(text: string, revive: Parameters<typeof JSON.parse>[1]): unknown {
  try {
    return JSON.parse(text, revive);
  } catch (thrown) {
    throw new ServeError(
      'invalid_input',
      `failed to parse the request JSON buffer: expected JSON, found: ${messageOf(thrown)}`,
    );
  }
}

/** @throws ServeError `invalid_input` where the bytes are no UTF-8. */
export function utf8TextOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  throw new ServeError(
    'invalid_input',
    'failed to parse the request JSON buffer: expected UTF-8, found bytes that are none',
  );
}
