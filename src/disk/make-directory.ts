import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a directory and those above it that are missing; one that is there stays as it is. Node's own `recursive` never ends, and
 * holds a thread and a processor, where a file system takes no directory below one that is there (`/proc`, some network mounts).
 *
 * @throws Error with the system's own code: ENOENT where the file system takes none, EEXIST or ENOTDIR where a file is in the way.
 */
export async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    const parent = dirname(directory);
    if (codeOf(error) !== 'ENOENT' || parent === directory) {
      // A read-only file system says so even of a directory that is there.
      if (await isDirectory(directory)) return;
      throw error;
    }
    // Where it is there, and takes no directory, the second attempt says so.
    await makeDirectory(parent);
    await mkdir(directory).catch(async (again: unknown) => {
      if (!(await isDirectory(directory))) throw again;
    });
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
