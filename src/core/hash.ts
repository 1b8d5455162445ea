import { createHash, hash } from 'node:crypto';

/**
 * A salted 64-bit hash of a unit as 16 hex digits: the first eight bytes of SHA-256 over `salt`, NUL, `unit`.
 * One salt per use, so that the arm, the mirror coin and the evidence of one unit are independent of each other.
 */
export function saltedHash(salt: string, unit: string): string {
  return hash('sha256', `${salt}\0${unit}`, 'hex').slice(0, 16);
}

/** Where a unit falls on the line of 10,000 basis points: a whole number in [0, 10000), uniform over units. */
export function bucketBp(salt: string, unit: string): number {
  const word = Number.parseInt(saltedHash(salt, unit).slice(0, 12), 16);
  return Math.floor((word / 281_474_976_710_656) * 10_000);
}

/** SHA-256 as 64 hex digits. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
