import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { picturesOf } from './pictures.ts';
import { reportOf, withReport } from './report.ts';
import { type KeptResult, keepResult, readResults } from './results.ts';

/**
 * Puts results into a page, with pictures and results in a folder next to it with the page's name: `page.md`,
 * `page/<suite>.svg`, `page/results/<suite>.json`. The page is written from all results in that folder: suites that were not
 * measured again stay as they are.
 */
export async function publish(page: string, results: readonly KeptResult[]): Promise<void> {
  const folder = page.replace(/\.md$/, '');
  const kept = join(folder, 'results');
  for (const result of results) {
    await keepResult(kept, result);
    for (const { file, svg } of picturesOf(result)) await writeFile(join(folder, file), svg);
  }
  const report = reportOf(await readResults(kept), `${basename(folder)}/`);
  await writeFile(page, withReport(await readFile(page, 'utf8'), report));
}
