import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { programFolder } from '../../src/config/program.ts';
import { messageOf } from '../../src/core/errors.ts';

const run = promisify(execFile);
const INSTALL_MS_MAX = 15 * 60_000;

/** Where the Python servers are; they import each other from there. */
export const serversFolder = join(programFolder, 'bench', 'peers', 'servers');

/** A virtual environment of Python with one peer in it. */
export type Environment = {
  readonly folder: string;
  readonly python: string;
  /** `mlserver 1.7.1`: of the peer's package and of its ONNX runtime. */
  readonly versions: readonly string[];
};

/**
 * The environment of a peer, under `.build/peers`, named after what is pinned: changed pins are another environment. Where
 * there is none, it is made if `mayInstall`, which downloads the packages. Rejects with the reason where there is none in the end.
 */
export async function environmentOf(
  name: string,
  packages: readonly string[],
  mayInstall: boolean,
): Promise<Environment> {
  const pins = join(programFolder, 'bench', 'peers', 'requirements', `${name}.txt`);
  const hash = createHash('sha256')
    .update(await readFile(pins))
    .digest('hex')
    .slice(0, 8);
  const folder = join(programFolder, '.build', 'peers', `${name}-${hash}`);
  const python = join(folder, 'bin', 'python');
  if (!(await isThere(python))) {
    if (!mayInstall) throw new Error('not installed; --install installs it');
    await install(folder, pins);
  }
  return { folder, python, versions: await versionsIn(python, packages) };
}

/** An environment cannot be moved once it is made, so what is half made is removed. */
async function install(folder: string, pins: string): Promise<void> {
  await mkdir(join(folder, '..'), { recursive: true });
  try {
    await run('python3', ['-m', 'venv', folder], { timeout: INSTALL_MS_MAX });
    const pip = ['-m', 'pip', 'install', '--quiet', '--requirement', pins];
    await run(join(folder, 'bin', 'python'), pip, { timeout: INSTALL_MS_MAX });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    const lines = messageOf(error).trim().split('\n');
    throw new Error(`could not be installed: ${lines.at(-1)}`, { cause: error });
  }
}

async function versionsIn(python: string, packages: readonly string[]): Promise<readonly string[]> {
  const script =
    'import sys, importlib.metadata as m\nfor p in sys.argv[1:]: print(p, m.version(p))';
  const { stdout } = await run(python, ['-c', script, ...packages]);
  return stdout.trim().split('\n');
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
