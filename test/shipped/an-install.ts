import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../support/project-root.ts';

const run = promisify(execFile);

/** Of a tap test: what is put here is done when the test has ended, however it ended. */
export type Teardown = { readonly teardown: (work: () => unknown) => void };

/** Packages come from the cache where `npm ci` has left them there. */
const NPM_INSTALL = [
  ...['install', '--no-audit', '--no-fund', '--prefer-offline', '--omit=dev'],
  // No package of the tree needs its install script, and one of them would look for files on the internet.
  '--ignore-scripts',
];
const INSTALL_MS_MAX = 300_000;

/** An empty folder into which this version was packed and installed, as its users have it; gone when the test has ended. */
export async function anInstall(t: Teardown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-shipped-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const packing = ['pack', '--json', '--pack-destination', folder];
  const { stdout } = await npm(packing, projectRoot);
  const [packed] = JSON.parse(stdout) as readonly { readonly filename: string }[];
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  await npm([...NPM_INSTALL, join(folder, packed?.filename ?? '')], folder);
  return folder;
}

/** The program `node` of another release line, from the registry; gone when the test has ended. */
export async function nodeOf(t: Teardown, line: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `understudy-node-${line}-`));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const name = `node-${process.platform}-${process.arch}`;
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  await npm([...NPM_INSTALL, `${name}@${line}`], folder);
  return join(folder, 'node_modules', name, 'bin', 'node');
}

/** npm, without the settings that an npm which runs this would hand down. */
function npm(args: readonly string[], cwd: string) {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  return run('npm', args, { cwd, env: Object.fromEntries(own), timeout: INSTALL_MS_MAX });
}
