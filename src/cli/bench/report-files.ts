import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchRecord } from '../../load/modes/result.ts';
import { csvOf } from '../../load/report/csv.ts';
import { pageOf } from '../../load/report/page.ts';

/** Writes `report.html`, `report.json` and `report.csv` into the folder, which is made where it is missing. Returns the page. */
export async function writeReports(folder: string, record: BenchRecord): Promise<string> {
  await mkdir(folder, { recursive: true });
  const page = join(folder, 'report.html');
  await writeFile(page, pageOf(record));
  await writeFile(join(folder, 'report.json'), `${JSON.stringify(record, undefined, 2)}\n`);
  await writeFile(join(folder, 'report.csv'), csvOf(record));
  return page;
}
