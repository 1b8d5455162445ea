import { constants, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';

export type ReadOptions = {
  /** A file with more is refused. */
  readonly bytesMax: number;
  /** Called with what was opened, before it is read; what it throws ends the reading. */
  readonly check?: (found: Stats) => void;
};

/** The text of a file, and what the system said of it when it was opened. */
export type RegularFile = { readonly text: string; readonly mode: number };

const O_RDONLY_NONBLOCK = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Reads a file as UTF-8, at most `bytesMax` bytes, and no pipe and no device, which might hold the reader for ever. What is checked is
 * what is read: the path is followed once.
 *
 * @throws Error with the system's own code, or one in a few words for what is no regular file or too large.
 */
export async function readRegularFile(
  path: string,
  { bytesMax, check }: ReadOptions,
): Promise<RegularFile> {
  // Opened without waiting for a writer of a pipe.
  const handle = await open(path, O_RDONLY_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new Error('expected a regular file, found something else');
    check?.(found);
    if (found.size > bytesMax)
      throw new Error(`expected at most ${bytesMax} bytes, found ${found.size}`);
    // It may grow between the look and the reading.
    const bytes = Buffer.alloc(Math.min(found.size + SPARE_BYTES, bytesMax + 1));
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length);
      length += bytesRead;
      if (bytesRead === 0) return { text: bytes.toString('utf8', 0, length), mode: found.mode };
      if (length === bytes.length)
        throw new Error('expected a file that stands still, found one that grows');
    }
  } finally {
    await handle.close();
  }
}

/** Files of `/proc` have no size, and those that are written grow a little. */
const SPARE_BYTES = 4_096;
