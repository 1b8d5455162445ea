import { createHash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { sha256Hex } from '../core/hash.ts';

/** Folders inside one another before a package is taken for a loop of links. */
const DEPTH_MAX = 8;

export type DirectoryDigest = {
  readonly digest: string;
  /** Of all files. */
  readonly bytes: number;
  /** As `stampOf` gives it, taken before the files were read. */
  readonly stamp: string;
};

/**
 * SHA-256 over one line per file, `<path>\0<sha256 of its bytes>\n`, by path in code-unit order, with `/` between folders: the
 * same files give the same digest wherever they lie. Names that begin with `.` do not count. Files are streamed, so their size
 * is not limited. Links are followed.
 */
export async function digestOf(directory: string): Promise<DirectoryDigest> {
  const files = await filesIn(directory, '', DEPTH_MAX);
  let lines = '';
  let bytes = 0;
  for (const { path } of files) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(directory, path)), async (chunks) => {
      for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
        bytes += chunk.length;
        hash.update(chunk);
      }
    });
    lines += `${path}\0${hash.digest('hex')}\n`;
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
    else found.push({ path, stats });
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}
