import { posix, resolve } from 'node:path';
import { quoted } from './quoted.ts';

/**
 * The absolute path of a file that something in a package names.
 *
 * @throws Error where the name leads out of the directory.
 */
export function insideOf(directory: string, relative: string): string {
  if (leadsOut(relative)) {
    throw new Error(`expected a path inside the package, found ${relative}`);
  }
  return resolve(directory, relative);
}

/** Throws an Error where a file's name leads out of the folder that it is relative to. */
export function checkInside(where: string, file: string): void {
  if (!leadsOut(file)) return;
  throw new Error(`${where}: expected a file inside its folder, found ${quoted(file)}`);
}

/** Names are written as on POSIX, on any system. */
function leadsOut(file: string): boolean {
  const path = posix.normalize(file);
  if (path === '.' || path === './' || path === '..' || path.startsWith('../')) return true;
  return posix.isAbsolute(path) || /[\\\0]/.test(file);
}
