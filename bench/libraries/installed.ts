import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { programFolder } from '../../src/config/program.ts';

const PINS = {
  '@stdlib/math-base-special-betainc': '0.2.3',
  '@stdlib/math-base-special-gammainc': '0.3.1',
  'heap-js': '2.7.1',
  jstat: '1.9.6',
  'proper-lockfile': '4.1.2',
  'pure-rand': '8.4.2',
  seedrandom: '3.0.5',
  tinyqueue: '3.0.0',
} as const;

/** Only what the comparisons use of each library. */
export type Libraries = {
  readonly betainc: (x: number, a: number, b: number) => number;
  readonly gammainc: (x: number, a: number, regularised: boolean, upper: boolean) => number;
  readonly Heap: new <T>(
    compare: (a: T, b: T) => number,
  ) => { push(entry: T): unknown; pop(): T | undefined; remove(entry: T): boolean };
  readonly jstat: {
    readonly ibeta: (x: number, a: number, b: number) => number;
    readonly lowRegGamma: (a: number, x: number) => number;
  };
  readonly lockfile: Lockfile;
  readonly xoroshiro: (seed: number) => object;
  readonly uniformFloat64: (generator: object) => number;
  readonly seedrandom: (seed: string) => () => number;
  readonly TinyQueue: new <T>(
    entries: T[],
    compare: (a: T, b: T) => number,
  ) => { push(entry: T): void; pop(): T | undefined };
};

export type Lockfile = {
  lock(
    folder: string,
    options: { stale: number; onCompromised: () => void },
  ): Promise<() => Promise<void>>;
};

const folder = join(programFolder, '.build', 'libraries');

/** Installs what is missing, without running its scripts. */
export async function openLibraries(): Promise<Libraries> {
  await mkdir(folder, { recursive: true });
  const manifest = JSON.stringify({ private: true, type: 'module', dependencies: PINS });
  const file = join(folder, 'package.json');
  if ((await readFile(file, 'utf8').catch(() => '')) !== manifest) {
    await writeFile(file, manifest);
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund'];
    await promisify(execFile)('npm', args, { cwd: folder }).catch(async (error: unknown) => {
      await writeFile(file, '{}');
      throw error;
    });
  }
  const load = await loader();
  const library = async <T>(name: string): Promise<T> => (await load(name)) as T;
  const standard = async <T>(name: string): Promise<T> =>
    (await library<{ default: T }>(name)).default;
  return {
    betainc: await standard('@stdlib/math-base-special-betainc'),
    gammainc: await standard('@stdlib/math-base-special-gammainc'),
    ...(await library<Pick<Libraries, 'Heap'>>('heap-js')),
    jstat: await standard('jstat'),
    lockfile: await standard('proper-lockfile'),
    xoroshiro: (
      await library<{ xoroshiro128plus: Libraries['xoroshiro'] }>(
        'pure-rand/generator/xoroshiro128plus',
      )
    ).xoroshiro128plus,
    ...(await library<Pick<Libraries, 'uniformFloat64'>>('pure-rand/distribution/uniformFloat64')),
    seedrandom: await standard('seedrandom'),
    TinyQueue: await standard('tinyqueue'),
  };
}

/** Names of packages resolve from the file that imports them, so that file has to be in the folder. */
async function loader(): Promise<(name: string) => Promise<unknown>> {
  const file = join(folder, 'load.js');
  await writeFile(file, 'export const load = (name) => import(name);\n');
  const { load } = (await import(pathToFileURL(file).href)) as {
    load: (name: string) => Promise<unknown>;
  };
  return load;
}
