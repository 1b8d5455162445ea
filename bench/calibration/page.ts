import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { betweenMarks } from './between-marks.ts';
import type { HeadToHeadRow } from './head-to-head.ts';
import { gatePictures, gatesReportOf } from './head-to-head-table.ts';
import type { KeptWorld } from './kept-worlds.ts';
import type { PowerResult } from './power.ts';
import { powerReportOf } from './power-table.ts';
import { reportOf } from './table.ts';

/** All results that a page is made of. */
export type Results = {
  readonly worlds: readonly KeptWorld[];
  readonly power: readonly PowerResult[];
  readonly gates: readonly HeadToHeadRow[];
};

/**
 * Puts results into a page, with pictures and results in a folder of its name: `page.md`, `page/gates.svg`,
 * `page/results/<kind>.json`. Kinds without new results stay as they are.
 */
export async function publish(page: string, results: Partial<Results>): Promise<void> {
  const folder = page.replace(/\.md$/, '');
  const kept = path.join(folder, 'results');
  await mkdir(kept, { recursive: true });
  for (const [kind, rows] of Object.entries(results)) {
    if (rows.length > 0) await writeFile(path.join(kept, `${kind}.json`), linesOf(rows));
  }
  const all = await readResults(kept);
  for (const { file, svg } of gatePictures(all.gates)) {
    await writeFile(path.join(folder, file), svg);
  }
  await writeFile(page, withResults(await readFile(page, 'utf8'), all, path.basename(folder)));
}

/** What is kept beside a page; nothing where there is nothing yet. */
export async function readResults(folder: string): Promise<Results> {
  const read = async <Row>(kind: string): Promise<readonly Row[]> => {
    const text = await readFile(path.join(folder, `${kind}.json`), 'utf8').catch(() => '[]');
    return JSON.parse(text) as readonly Row[];
  };
  return {
    worlds: await read<KeptWorld>('worlds'),
    power: await read<PowerResult>('power'),
    gates: await read<HeadToHeadRow>('gates'),
  };
}

/** The page with the tables of all results between their marks. */
export function withResults(page: string, results: Results, folder: string): string {
  const texts = {
    worlds: reportOf(results.worlds),
    power: powerReportOf(results.power),
    gates: gatesReportOf(results.gates, folder),
  };
  return Object.entries(texts).reduce(
    (text, [name, table]) => betweenMarks(text, name, table),
    page,
  );
}

/** One row a line, so that a change of one is a change of one line. */
function linesOf(rows: readonly object[]): string {
  return `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`;
}
