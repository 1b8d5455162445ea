import { saltedHash } from '../core/hash.ts';

/** In the place of a label's key: the request has labels that contradict each other. */
export const CONFLICTING = '!';

/** What two labels have in common if they say the same: 16 hex digits. A list of one is its element. */
export function labelKey(label: unknown): string {
  const one = Array.isArray(label) && label.length === 1 ? label[0] : label;
  return saltedHash('label', JSON.stringify(one) ?? '');
}
