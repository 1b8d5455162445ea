import { type KeyFile, keyName } from '../config/key-file.ts';
import type { Grant } from '../core/caller.ts';
import { messageOf } from '../core/errors.ts';
import { digestOf, newApiKey } from './api-key.ts';
import {
  KEYS_MAX,
  keyPath,
  listKeys,
  makeKeyFolder,
  openPepper,
  readKey,
  writeKey,
} from './key-folder.ts';

export type KeyFolder = {
  readonly folder: string;
  /** UNDERSTUDY_KEY_PEPPER. */
  readonly pepper: string | undefined;
};

export type KeyWanted = {
  readonly name: string;
  readonly grants: readonly Grant[];
  readonly nowMs: number;
  /** Undefined: it does not expire. */
  readonly expiresMs: number | undefined;
};

export type CreatedKey = {
  /** The key itself: it is kept nowhere. */
  readonly key: string;
  readonly file: KeyFile;
};

/**
 * Makes a key, and the folder and its pepper where they are missing. No gateway has to run.
 *
 * @throws Error for a name that is none, a folder that is full, or a disk that takes no files.
 */
export async function createKey(
  { folder, pepper: variable }: KeyFolder,
  { name, grants, nowMs, expiresMs }: KeyWanted,
): Promise<CreatedKey> {
  const checked = keyName.safeParse(name);
  if (!checked.success) throw new Error(checked.error.issues[0]?.message);
  await makeKeyFolder(folder);
  const { ids } = await listKeys(folder);
  if (ids.length >= KEYS_MAX) {
    throw new Error(
      `${folder}: expected fewer than ${KEYS_MAX} keys, found ${ids.length}. Delete files of keys that are revoked or expired`,
    );
  }
  const pepper = await openPepper(folder, variable);
  const { id, key } = newApiKey();
  const digest = digestOf(key, pepper).toString('hex');
  const file = { id, name, digest, grants, createdMs: nowMs, expiresMs, revokedMs: undefined };
  await writeKey(folder, file);
  return { key, file };
}

export type ListedKeys = {
  readonly keys: readonly KeyFile[];
  /** What is wrong with each file that is no key. */
  readonly problems: readonly string[];
};

/** The keys of a folder, oldest first. A folder that does not exist has none. */
export async function readKeys(folder: string): Promise<ListedKeys> {
  const keys: KeyFile[] = [];
  const problems: string[] = [];
  for (const id of (await listKeysIfAny(folder)).slice(0, KEYS_MAX)) {
    try {
      keys.push(await readKey(folder, id));
    } catch (error) {
      problems.push(`${keyPath(folder, id)}: ${messageOf(error)}`);
    }
  }
  keys.sort((a, b) => a.createdMs - b.createdMs || (a.id < b.id ? -1 : 1));
  return { keys, problems };
}

async function listKeysIfAny(folder: string): Promise<readonly string[]> {
  try {
    return (await listKeys(folder)).ids;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** Revokes a key; one that was revoked before stays as it is. Returns it as it is now. */
export async function revokeKey(folder: string, id: string, nowMs: number): Promise<KeyFile> {
  const key = await readKey(folder, id);
  if (key.revokedMs !== undefined) return key;
  const revoked = { ...key, revokedMs: nowMs };
  await writeKey(folder, revoked);
  return revoked;
}
