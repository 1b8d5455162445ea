import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SuiteResult } from './figure.ts';
import type { Machine } from './machine.ts';

/** A suite's result as it is kept. */
export type KeptResult = SuiteResult & { readonly takenAt: string; readonly machine: Machine };

/** Writes `<suite>.json` into the folder. Returns the file. */
export async function keepResult(folder: string, result: KeptResult): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${result.suite}.json`);
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
  return file;
}

/** All results of the folder, in the order of their suites' names; none where there is no folder. */
export async function readResults(folder: string): Promise<readonly KeptResult[]> {
  const files = await readdir(folder).catch(() => []);
  const names = files.filter((name) => name.endsWith('.json')).sort();
  return Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as KeptResult),
  );
}
