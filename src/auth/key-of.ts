import type { KeyFile } from '../config/key-file.ts';
import type { KeyCheck, KeyRefusal } from './key-store.ts';
import { UnauthenticatedError } from './refusal.ts';

/** @throws UnauthenticatedError where the key does not count. */
export function keyOf(check: KeyCheck): KeyFile {
  if (check.kind === 'key') return check.key;
  throw new UnauthenticatedError(`key-${check.why}`, REFUSED[check.why]);
}

/** That a key has expired, or was revoked, learns only who has it. */
const REFUSED: Readonly<Record<KeyRefusal, string>> = {
  malformed: 'expected an API key that this gateway knows, found another',
  unknown: 'expected an API key that this gateway knows, found another',
  expired: 'expected an API key that is valid, found one that has expired',
  revoked: 'expected an API key that is valid, found one that was revoked',
};
