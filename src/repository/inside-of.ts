import { isAbsolute, resolve, sep } from 'node:path';

/**
 * The absolute path of a file that something in a package names.
 *
 * @throws Error where the name leads out of the directory.
 */
export function insideOf(directory: string, relative: string): string {
  const path = resolve(directory, relative);
  if (isAbsolute(relative) || !path.startsWith(resolve(directory) + sep)) {
    throw new Error(`expected a path inside the package, found ${relative}`);
  }
  return path;
}
