import { copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type ChainReport, verifyChain } from './chain.ts';
import { readLedger } from './file.ts';
import { readEnd } from './repair.ts';
import { syncDirectory } from './segment.ts';
import { segmentFiles } from './segments.ts';

/**
 * Copies a ledger's files to a new folder, while a gateway may write to it: the copy ends with the last record that was whole. `beside`: other
 * files of the folder to take along, where they are there. The folder appears under its name once all of it is on the disk and its
 * chain has been checked; a broken one, or a failure, leaves none. Throws the disk's own error, and where `target` is not new.
 */
export async function backUpLedger(
  ledger: string,
  target: string,
  beside: readonly string[],
): Promise<ChainReport> {
  const files = await segmentFiles(ledger);
  const partial = `${resolve(target)}.partial`;
  await checkNew(target);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    for (const file of files) await copySynced(file, join(partial, basename(file)));
    await (await readEnd(partial)).repair();
    for (const name of beside) await copyIfThere(join(ledger, name), join(partial, name));
    const report = await verifyChain(readLedger(partial));
    if (report.broken !== undefined) await rm(partial, { recursive: true, force: true });
    else await appear(partial, target);
    return report;
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

/** @throws where there is something already. */
async function checkNew(target: string): Promise<void> {
  const names = await readdir(target).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  if (names.length > 0)
    throw new Error(
      `expected a new or empty folder for the copy, found ${names.length} files in ${target}`,
    );
}

async function appear(partial: string, target: string): Promise<void> {
  await syncDirectory(partial);
  await rename(partial, target);
  await syncDirectory(dirname(resolve(target)));
}

/** Secrets keep their mode. */
async function copyIfThere(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copySynced(from, to).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
}

async function copySynced(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  const handle = await open(to, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
