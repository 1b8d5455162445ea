import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export type Files = Readonly<Record<string, string | Uint8Array>>;

const folder = mkdtempSync(join(tmpdir(), 'repositories-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
let repositories = 0;

/** A folder of these files, by path, which is removed when the test ends. */
export async function aRepository(files: Files): Promise<string> {
  repositories += 1;
  const root = join(folder, String(repositories));
  await mkdir(root);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}
