import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

const SECRET_BYTES = 32;

/** A secret that no other process has. */
export function freshSecret(): Uint8Array {
  return randomBytes(SECRET_BYTES);
}

/**
 * The secret in a file, which only its owner may read; where there is no such file, `fresh` is written there. Its folder must be there.
 *
 * @throws Error with the system's own code.
 */
export async function lastingSecret(file: string, fresh: Uint8Array): Promise<Uint8Array> {
  await writeFile(file, fresh, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
  });
  const secret = await readFile(file);
  if (secret.byteLength >= SECRET_BYTES) return secret;
  // A file that a crash left empty is no secret.
  await writeFile(file, fresh, { mode: 0o600 });
  return fresh;
}
