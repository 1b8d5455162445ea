import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { picturesOf } from './pictures.ts';
import { reportOf, withReport } from './report.ts';
import { type KeptResult, keepResult } from './results.ts';

/**
 * Puts results into a page, with pictures and the results themselves in a folder beside it that has the page's name: `page.md`,
 * `page/<suite>.svg`, `page/results/<suite>.json`. So the page can be made again from what lies beside it.
 */
export async function publish(page: string, results: readonly KeptResult[]): Promise<void> {
  const folder = page.replace(/\.md$/, '');
  const text = await readFile(page, 'utf8');
  for (const result of results) {
    await keepResult(join(folder, 'results'), result);
    for (const { file, svg } of picturesOf(result)) await writeFile(join(folder, file), svg);
  }
  await writeFile(page, withReport(text, reportOf(results, `${basename(folder)}/`)));
}
