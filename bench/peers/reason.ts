import { messageOf } from '../../src/core/errors.ts';

const LENGTH_MAX = 300;

/**
 * Why there is no figure, in one line that can be published: results are kept and shown, so neither of them may hold a path of
 * the machine that measured, of which a server's last words are full.
 */
export function reasonOf(error: unknown): string {
  return messageOf(error)
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\/[^\s'"]*\//g, '')
    .slice(0, LENGTH_MAX);
}
