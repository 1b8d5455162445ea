import { randomUUID } from 'node:crypto';
import { constants, openSync, unlinkSync } from 'node:fs';
import { lstat, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';

/** Where Linux has files that are memory. */
export const SHARED_MEMORY = '/dev/shm';

/** Of open(2), on all processors that Node runs on. Node does not name it. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

const NAME = /^understudy-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A name is taken away as soon as it is made: one that is older than this was left behind. */
const NAMED_MS_MAX = 60_000;

/**
 * Opens a new file in a folder, for reading and writing, that has no name: the system takes it back when the last process that has
 * it open ends, however it ends. Throws as `openSync` does.
 */
export function openUnnamed(folder: string): number {
  try {
    return openSync(folder, O_TMPFILE | constants.O_RDWR, 0o600);
  } catch {
    // Not all systems make files without a name.
    return openNamed(folder);
  }
}

/** A process that is killed between the two leaves the name behind: see `removeStaleNames`. */
function openNamed(folder: string): number {
  const file = join(folder, `understudy-${randomUUID()}`);
  const fd = openSync(file, 'wx+', 0o600);
  try {
    unlinkSync(file);
  } catch {
    // It was taken for one that was left behind, by a process that began while this one stood still.
  }
  return fd;
}

/**
 * Takes away names that killed processes left in a folder; at most an empty file each. It does not matter whose they are, or
 * whether that process lives: who has the file open does not need its name. Best effort; never rejects.
 */
export async function removeStaleNames(
  folder: string,
  { wallMs }: Pick<Clock, 'wallMs'>,
): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => NAME.test(each))) {
    const file = join(folder, name);
    const found = await lstat(file).catch(() => undefined);
    if (found?.isFile() !== true || wallMs() - found.mtimeMs < NAMED_MS_MAX) continue;
    await unlink(file).catch(() => undefined);
  }
}
