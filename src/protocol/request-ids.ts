import { randomBytes } from 'node:crypto';

/** Gives ids that are unique over restarts and machines: twelve random bytes of this process, and a number. */
export function createRequestIds(): () => string {
  const prefix = randomBytes(12).toString('base64url');
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}.${count.toString(36)}`;
  };
}
