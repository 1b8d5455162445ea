import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, type Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '../core/hash.ts';
import { countBytes, expectBytes, type ReadingProgress } from './reading-progress.ts';
import { checkRegular } from './regular-file.ts';

/** Folders inside one another before a package is taken for a loop of links. */
const DEPTH_MAX = 8;
const CHUNK_BYTES = 1 << 20;

export type DirectoryDigest = {
  readonly digest: string;
  /** Of all files. */
  readonly bytes: number;
  /** As `stampOf` gives it, taken before the files were read. */
  readonly stamp: string;
};

/**
 * SHA-256 over one line per file, `<path>\0<sha256 of its bytes>\n`, by path in code-unit order, with `/` between folders: the
 * same files give the same digest wherever they lie. Names that begin with `.` do not count. Files are read piece by piece, so
 * their size is not limited, and without a break: not for a thread that has others to answer. Links are followed. `onFile` gets each
 * file's own digest.
 */
export async function digestOf(
  directory: string,
  progress?: ReadingProgress,
  onFile: (path: string, digest: string) => void = () => undefined,
): Promise<DirectoryDigest> {
  const files = await filesIn(directory, '', DEPTH_MAX);
  for (const { stats } of files) expectBytes(progress, stats.size);
  let lines = '';
  let bytes = 0;
  for (const { path } of files) {
    const hash = createHash('sha256');
    for (const chunk of chunksOf(join(directory, path))) {
      bytes += chunk.length;
      countBytes(progress, chunk.length);
      hash.update(chunk);
    }
    const digest = hash.digest('hex');
    onFile(path, digest);
    lines += `${path}\0${digest}\n`;
  }
  return { digest: sha256Hex(lines), bytes, stamp: stampFrom(files) };
}

/**
 * Changes with the size and the times of any of the files that `digestOf` counts; reads none of them. Another stamp may stand for
 * the same bytes, the same stamp does not stand for others.
 */
export async function stampOf(directory: string): Promise<string> {
  return stampFrom(await filesIn(directory, '', DEPTH_MAX));
}

/** Each chunk lasts until the next one is asked for. */
function* chunksOf(file: string): Generator<Uint8Array> {
  const memory = Buffer.allocUnsafe(CHUNK_BYTES);
  const descriptor = openSync(file, 'r');
  try {
    for (;;) {
      const length = readSync(descriptor, memory, 0, CHUNK_BYTES, null);
      if (length === 0) return;
      yield memory.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}

type File = { readonly path: string; readonly stats: Stats };

function stampFrom(files: readonly File[]): string {
  const lines = files.map(({ path, stats: { size, mtimeMs, ctimeMs } }) =>
    [path, size, mtimeMs, ctimeMs].join('\0'),
  );
  return sha256Hex(lines.join('\n'));
}

/** By path in code-unit order. */
async function filesIn(directory: string, prefix: string, depthLeft: number): Promise<File[]> {
  if (depthLeft === 0) throw new Error(`expected at most ${DEPTH_MAX} folders deep: ${prefix}`);
  const found: File[] = [];
  for (const name of await readdir(join(directory, prefix))) {
    if (name.startsWith('.')) continue;
    const path = prefix ? `${prefix}/${name}` : name;
    const stats = await stat(join(directory, path));
    if (stats.isDirectory()) found.push(...(await filesIn(directory, path, depthLeft - 1)));
    else {
      checkRegular(stats, path);
      found.push({ path, stats });
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}
