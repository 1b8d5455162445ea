import { randomBytes } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type KeyFile, keyFileText, parseKeyFile } from '../config/key-file.ts';
import { makeDirectory } from '../disk/make-directory.ts';
import { type Pepper, pepperOf } from './api-key.ts';
import { readPrivateFile, writeFirstPrivateFile, writePrivateFile } from './private-file.ts';

/** Far beyond the keys of one gateway: each is read, and held in memory. */
export const KEYS_MAX = 10_000;

/** Enough for some thousands of models by name. */
const FILE_BYTES_MAX = 256 * 1024;

const FILE_NAME = /^([0-9A-Za-z]{8})\.json$/;

/** The secret beside the keys: without it their digests are worth nothing, with it nothing yet. */
const PEPPER_FILE = 'pepper';
const PEPPER_BYTES_MAX = 4_096;

/** The ids of the keys in a folder, sorted, and the names of files that are none. */
export type KeyFolderList = { readonly ids: readonly string[]; readonly others: readonly string[] };

/** @throws Error with the system's own code. */
export async function listKeys(folder: string): Promise<KeyFolderList> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  const ids = names.flatMap((name) => FILE_NAME.exec(name)?.[1] ?? []);
  const others = names.filter((name) => !FILE_NAME.test(name) && name !== PEPPER_FILE);
  return { ids, others };
}

export function keyPath(folder: string, id: string): string {
  return join(folder, `${id}.json`);
}

/** @throws Error that says what is wrong with the file. */
export async function readKey(folder: string, id: string): Promise<KeyFile> {
  const key = parseKeyFile(await readPrivateFile(keyPath(folder, id), FILE_BYTES_MAX));
  if (key.id !== id) throw new Error(`id: expected ${id}, as the file is called, found ${key.id}`);
  return key;
}

/** Writes a key, or what became of it, whole. */
export async function writeKey(folder: string, key: KeyFile): Promise<void> {
  await writePrivateFile(keyPath(folder, key.id), keyFileText(key));
}

/** Makes the folder where it is missing, for its owner alone. */
export async function makeKeyFolder(folder: string): Promise<void> {
  await makeDirectory(dirname(folder));
  await mkdir(folder, 0o700).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

/**
 * The pepper: what the environment says, else the file in the folder. Undefined: there is neither.
 *
 * @throws Error that says what is wrong with it.
 */
export async function readPepper(
  folder: string,
  variable: string | undefined,
): Promise<Pepper | undefined> {
  if (variable !== undefined) return pepperOf(checkedSecret(variable, 'UNDERSTUDY_KEY_PEPPER'));
  const path = join(folder, PEPPER_FILE);
  try {
    const text = await readPrivateFile(path, PEPPER_BYTES_MAX);
    return pepperOf(checkedSecret(text.trim(), path));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The pepper of a folder, made where there is none. */
export async function openPepper(folder: string, variable: string | undefined): Promise<Pepper> {
  const found = await readPepper(folder, variable);
  if (found !== undefined) return found;
  const path = join(folder, PEPPER_FILE);
  // Another command may make one at the same time: the first one stays.
  await writeFirstPrivateFile(path, `${randomBytes(32).toString('hex')}\n`);
  const made = await readPepper(folder, variable);
  if (made === undefined) throw new Error(`expected the pepper that was written to ${path}`);
  return made;
}

const PEPPER_LENGTH_MIN = 32;

function checkedSecret(text: string, where: string): Uint8Array {
  if (text.length < PEPPER_LENGTH_MIN) {
    throw new Error(
      `${where}: expected at least ${PEPPER_LENGTH_MIN} characters, found ${text.length}`,
    );
  }
  return Buffer.from(text);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
