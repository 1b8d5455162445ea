import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..', '..');
const FOLDERS = [
  'src/capture',
  'src/compare',
  'src/config',
  'src/core',
  'src/decide',
  'src/gateway',
  'src/rollout',
  'src/stats',
  'src/trials',
  'bench/calibration',
];

/** A digest of all code that a run depends on. Runs of two digests are not added up. */
export async function codeDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of FOLDERS) {
    const entries = await readdir(path.join(ROOT, folder), { recursive: true });
    for (const entry of entries.filter((name) => name.endsWith('.js')).sort()) {
      hash.update(entry).update(await readFile(path.join(ROOT, folder, entry)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
