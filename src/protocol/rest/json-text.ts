import { isUtf8 } from 'node:buffer';

import { messageOf, ServeError } from '../../core/errors.ts';

/**
 * A small JSON text, parsed in one go. Strictly: other programs put a character of their own in for bytes that are no UTF-8,
 * and an id would come back that nobody sent. `revive` is given each value, the innermost first, and gives what stands in its place.
 * @throws ServeError `invalid_input`.
 */
export function parseJson(bytes: Buffer, revive?: (value: unknown) => unknown): unknown {
  const text = utf8TextOf(bytes);
  try {
    return JSON.parse(text, revive && ((_, value: unknown) => revive(value)));
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
