import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { betweenMarks } from './between-marks.ts';
import type { KeptWorld } from './kept-worlds.ts';
import { reportOf } from './table.ts';

/** Puts results into a page, and beside it as JSON, so that the page can be made from them again: `page/results/worlds.json`. */
export async function publish(page: string, worlds: readonly KeptWorld[]): Promise<void> {
  const folder = path.join(page.replace(/\.md$/, ''), 'results');
  await mkdir(folder, { recursive: true });
  const lines = worlds.map((world) => JSON.stringify(world));
  await writeFile(path.join(folder, 'worlds.json'), `[\n${lines.join(',\n')}\n]\n`);
  await writeFile(page, withWorlds(await readFile(page, 'utf8'), worlds));
}

export function withWorlds(page: string, worlds: readonly KeptWorld[]): string {
  return betweenMarks(page, 'worlds', reportOf(worlds));
}
