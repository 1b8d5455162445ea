import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Budget, Tally } from './tally.ts';
import type { World } from './world.ts';

/** What the runs of one world came to, as it is kept. */
export type KeptWorld = Pick<World, 'name' | 'about' | 'claim' | 'knownBeyond'> & {
  readonly budget: Budget;
  readonly tally: Tally;
};

/** As kept while a calibration is under way, so that it can be stopped and go on. */
export type Progress = KeptWorld & { readonly code: string };

export async function keepProgress(folder: string, progress: Progress): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(fileOf(folder, progress.name), `${JSON.stringify(progress, null, 2)}\n`);
}

/** Undefined where the world has no runs yet, or only runs of other code. */
export async function readProgress(
  folder: string,
  name: string,
  code: string,
): Promise<Progress | undefined> {
  const text = await readFile(fileOf(folder, name), 'utf8').catch(() => undefined);
  const progress = text === undefined ? undefined : (JSON.parse(text) as Progress);
  return progress?.code === code ? progress : undefined;
}

/** All that is kept in the folder, in the order of the worlds' names, of whichever code. */
export async function readKept(folder: string): Promise<readonly Progress[]> {
  const files = (await readdir(folder).catch(() => []))
    .filter((file) => file.endsWith('.json'))
    .sort();
  return Promise.all(
    files.map(
      async (file) => JSON.parse(await readFile(path.join(folder, file), 'utf8')) as Progress,
    ),
  );
}

function fileOf(folder: string, name: string): string {
  return path.join(folder, `${name}.json`);
}
