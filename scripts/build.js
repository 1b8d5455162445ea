/**
 * Compiles into out/ what has changed since the last time, and removes what sources that are gone have left there. A build with
 * nothing to do takes half a second, so every command that needs one may ask for it. `npm run clean` makes the next one whole.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const out = join(root, 'out');
const folders = ['src', 'test', 'bench'].filter((folder) => existsSync(join(root, folder)));
const info = join(out, '.tsbuildinfo');
const command = join(out, 'src', 'cli', 'main.js');

const sources = folders.flatMap((folder) =>
  filesUnder(join(root, folder))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => join(folder, file.slice(0, -'.ts'.length))),
);
removeStale(new Set(sources));
// The compiler looks at the times of sources only: not at its own output, and not at the types of packages.
if (sources.some((source) => !existsSync(join(out, `${source}.js`))) || isOlderThanPackages()) {
  rmSync(info, { force: true });
}
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [compiler, '--build'], {
  cwd: root,
  stdio: 'inherit',
});
if (status === 0) chmodSync(command, 0o755);
process.exitCode = status ?? 1;

/** @param {ReadonlySet<string>} known Sources without their ending. */
function removeStale(known) {
  for (const folder of ['src', 'test', 'bench']) {
    if (!existsSync(join(out, folder))) continue;
    for (const file of filesUnder(join(out, folder))) {
      const source = join(folder, file.replace(/\.(js|js\.map|d\.ts)$/, ''));
      if (!known.has(source)) rmSync(join(out, folder, file));
    }
  }
}

function isOlderThanPackages() {
  const lock = join(root, 'package-lock.json');
  return existsSync(info) && statSync(lock).mtimeMs > statSync(info).mtimeMs;
}

/** @param {string} folder */
function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
