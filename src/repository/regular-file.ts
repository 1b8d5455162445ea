import { readFile, stat } from 'node:fs/promises';

/** What is known of an entry on the disk. */
type Entry = {
  isFile(): boolean;
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
};

/**
 * Refuses pipes, sockets and devices before they are opened: opening one may block for ever, on a thread that others need.
 *
 * @throws Error that names the kind found.
 */
export function checkRegular(entry: Entry, name: string): void {
  if (entry.isFile() || entry.isDirectory()) return;
  const kind = entry.isFIFO() ? 'a named pipe' : entry.isSocket() ? 'a socket' : 'a device';
  throw new Error(`expected a regular file ${name}, found ${kind}: put a file in its place`);
}

/**
 * The text of a regular file. Rejects as `readFile` does, for anything that is no regular file, and for one of more than
 * `bytesMax`, before any of it is read.
 */
export async function readRegularText(
  file: string,
  name: string,
  bytesMax: number,
): Promise<string> {
  const found = await stat(file);
  checkRegular(found, name);
  if (found.size > bytesMax)
    throw new Error(`${name}: expected at most ${bytesMax} bytes, found ${found.size}`);
  return await readFile(file, 'utf8');
}
