import { mkdtemp, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Puts something into a directory and takes it away: permissions alone say little to root, and nothing of a file system that is
 * read-only or takes no files.
 *
 * @throws Error with the system's own code.
 */
export async function checkWritable(directory: string): Promise<void> {
  await rmdir(await mkdtemp(join(directory, '.understudy-')));
}
