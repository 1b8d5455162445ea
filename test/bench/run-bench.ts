import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Figure } from '../../bench/figure.ts';
import type { KeptResult } from '../../bench/results.ts';

const MAIN = path.join(import.meta.dirname, '..', '..', 'bench', 'main.js');
const run = promisify(execFile);

/** For one suite, quick, on a machine that does other things. */
export const BENCH_TIME = { timeout: 100_000 };

export function bench(...args: readonly string[]) {
  return run(process.execPath, [MAIN, ...args], BENCH_TIME);
}

/** One round of short blocks: whether a suite works, not what it finds. */
export async function measured(t: { testdir: () => string }, suite: string): Promise<KeptResult> {
  const out = t.testdir();
  await bench(suite, '--quick', '--rounds', '1', '--out', out);
  return JSON.parse(await readFile(path.join(out, `${suite}.json`), 'utf8')) as KeptResult;
}

export function goalsOf({ figures }: KeptResult): Readonly<Record<string, Figure['goal']>> {
  return Object.fromEntries(
    figures.flatMap(({ name, goal }) => (goal === undefined ? [] : [[name, goal]])),
  );
}
