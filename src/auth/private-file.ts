import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { link, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readRegularFile } from '../disk/read-regular-file.ts';

/** What others than the owner may do with a file. */
const OTHERS = 0o077;

/** The same, but for reading by the group: that is how a secret of root is mounted for a service that is not root. */
const OTHERS_BUT_GROUP_READS = 0o037;

/**
 * The text of a file that only its owner may read or write.
 *
 * @throws Error that says how to fix it: for a file that others may read or write, that belongs to another user, that is none, or
 * that has more than `bytesMax` bytes.
 */
export async function readPrivateFile(path: string, bytesMax: number): Promise<string> {
  const check = (found: Stats): void => {
    const complaint = complaintOf(found, ownUser());
    if (complaint !== undefined) throw new Error(complaint);
  };
  return (await readRegularFile(path, { bytesMax, check })).text;
}

/** What is wrong about who may read or write a file; undefined: nothing. `user` is the process's; undefined where systems have none. */
export function complaintOf(
  { mode, uid }: Pick<Stats, 'mode' | 'uid'>,
  user: number | undefined,
): string | undefined {
  if (user === undefined) return undefined;
  if (uid !== user && uid !== 0)
    return `expected a file of this user (${user}) or of root, found one of user ${uid}`;
  const open = mode & (uid !== user ? OTHERS_BUT_GROUP_READS : OTHERS);
  if (open === 0) return undefined;
  return `expected permissions 0600, found ${octal(mode)}: others may read or change it. Fix with chmod 600`;
}

/** What is wrong about who may put files into a folder; undefined: nothing. */
export function folderComplaintOf(
  { mode, uid }: Pick<Stats, 'mode' | 'uid'>,
  user: number | undefined,
): string | undefined {
  if (user === undefined) return undefined;
  if (uid !== user && uid !== 0)
    return `expected a folder of this user (${user}) or of root, found one of user ${uid}`;
  if ((mode & 0o022) === 0) return undefined;
  return `expected a folder that only its owner may write to, found permissions ${octal(mode)}. Fix with chmod 700`;
}

/** The user that this process runs as. */
export function ownUser(): number | undefined {
  return process.getuid?.();
}

function octal(mode: number): string {
  return `0${(mode & 0o777).toString(8).padStart(3, '0')}`;
}

/** Puts a file in place whole, and on the disk: readers see the one before or this one. Only its owner may read it. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await rename(await writeTemporary(path, text), path);
  await syncFolder(path);
}

/** The same where there is no file yet; one that is there stays as it is. */
export async function writeFirstPrivateFile(path: string, text: string): Promise<void> {
  const temporary = await writeTemporary(path, text);
  try {
    await link(temporary, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await unlink(temporary);
  }
  await syncFolder(path);
}

async function writeTemporary(path: string, text: string): Promise<string> {
  const temporary = join(dirname(path), `.new-${randomBytes(8).toString('hex')}`);
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
  return temporary;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
