import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { within } from '../concurrency/within.ts';
import { messageOf } from '../core/errors.ts';

/** What lies in a directory by way of folders. */
export type Folders = {
  /** By name in code-unit order; links to folders are followed. */
  readonly names: readonly string[];
  /** Names that should be folders and cannot be read, such as links that lead nowhere. */
  readonly broken: readonly { readonly name: string; readonly reason: string }[];
};

/** Whether a name can be that of a model's folder in the repository, and in no way leads out of it. */
export function isFolderName(name: string): boolean {
  return /^[^/\\._\0][^/\\\0]{0,254}$/.test(name);
}

/** What a file system keeps for itself at its top. */
const NOT_OURS: ReadonlySet<string> = new Set(['lost+found']);

/**
 * The folders in a directory. Files, and names that begin with `.` or `_`, are passed over.
 *
 * @throws Error where the directory cannot be read.
 */
export async function foldersIn(directory: string): Promise<Folders> {
  const found = await readdir(directory, { withFileTypes: true }).catch(async (cause: unknown) => {
    const reason = await whyBroken(directory, cause);
    throw new Error(reason ?? `expected a directory that can be read: ${messageOf(cause)}`, {
      cause,
    });
  });
  const names: string[] = [];
  const broken: { name: string; reason: string }[] = [];
  for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { name } = entry;
    if (name.startsWith('.') || name.startsWith('_') || NOT_OURS.has(name)) continue;
    const path = join(directory, name);
    try {
      if (entry.isDirectory() || (!entry.isFile() && (await leadsToFolder(path)))) names.push(name);
    } catch (error) {
      const reason = await whyBroken(path, error);
      if (reason !== undefined) broken.push({ name, reason });
    }
  }
  return { names, broken };
}

/** How long a link may take to be followed; milliseconds. */
const LINK_MS = 1_000;

/** A link to a mount that is dead is taken for one to a folder: its reader times out and says so. */
async function leadsToFolder(path: string): Promise<boolean> {
  let isFolder = true;
  const following = stat(path).then((found) => {
    isFolder = found.isDirectory();
  });
  following.catch(() => undefined);
  await within(following, LINK_MS);
  return isFolder;
}

/** Undefined: it is gone since it was listed. Where a link leads is not said: callers read this. */
async function whyBroken(path: string, error: unknown): Promise<string | undefined> {
  const entry = await lstat(path).catch(() => undefined);
  if (entry === undefined) return undefined;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ELOOP') return 'expected a folder, found a link that leads back to itself';
  if (code === 'ENOENT') return 'expected a folder, found a link to something that is not there';
  return `expected a folder that can be read: ${messageOf(error)}`;
}
