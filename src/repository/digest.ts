import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { sha256Hex } from '../core/hash.ts';

/** Folders inside one another before a package is taken for a loop of links. */
const DEPTH_MAX = 8;

export type DirectoryDigest = { readonly digest: string; readonly bytes: number };

/**
 * SHA-256 over one line per file, `<path>\0<sha256 of its bytes>\n`, by path in code-unit order, with `/` between folders: the
 * same files give the same digest wherever they lie. Names that begin with `.` do not count. Files are streamed, so their size
 * is not limited. Links are followed.
 */
export async function digestOf(directory: string): Promise<DirectoryDigest> {
  const paths = (await filesIn(directory, '', DEPTH_MAX)).sort((a, b) => (a < b ? -1 : 1));
  let lines = '';
  let bytes = 0;
  for (const path of paths) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(directory, path)), async (chunks) => {
      for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
        bytes += chunk.length;
        hash.update(chunk);
      }
    });
    lines += `${path}\0${hash.digest('hex')}\n`;
  }
  return { digest: sha256Hex(lines), bytes };
}

async function filesIn(directory: string, prefix: string, depthLeft: number): Promise<string[]> {
  if (depthLeft === 0) throw new Error(`expected at most ${DEPTH_MAX} folders deep: ${prefix}`);
  const found: string[] = [];
  for (const name of await readdir(join(directory, prefix))) {
    if (name.startsWith('.')) continue;
    const path = prefix ? `${prefix}/${name}` : name;
    const entry = await stat(join(directory, path));
    if (entry.isDirectory()) found.push(...(await filesIn(directory, path, depthLeft - 1)));
    else found.push(path);
  }
  return found;
}
