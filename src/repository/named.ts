import { messageOf } from '../core/errors.ts';

/** Puts the file's name before whatever is wrong in it. */
export function named<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Error(`${file}: ${messageOf(cause)}`, { cause });
  }
}
