import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import { checkWritable } from '../../disk/check-writable.ts';
import { makeDirectory } from '../../disk/make-directory.ts';
import type { BenchRecord } from '../../load/nouns/result.ts';
import { csvOf } from '../../load/report/csv.ts';
import { pageOf } from '../../load/report/page.ts';
import { wrongOption } from './values.ts';

/** Makes the folder where it is missing. Throws a CommandError unless files can be written there. */
export async function expectWritable(folder: string): Promise<void> {
  try {
    await makeDirectory(folder);
    await checkWritable(folder);
  } catch (error) {
    throw wrongOption('out', `a folder to write to (${messageOf(error)})`, folder);
  }
}

/** Writes `report.html`, `report.json` and `report.csv` into the folder, which must be there. Returns the page. */
export async function writeReports(folder: string, record: BenchRecord): Promise<string> {
  const page = join(folder, 'report.html');
  await writeFile(page, pageOf(record));
  await writeFile(join(folder, 'report.json'), `${JSON.stringify(record, undefined, 2)}\n`);
  await writeFile(join(folder, 'report.csv'), csvOf(record));
  return page;
}
