import { within } from '../concurrency/within.ts';
import type { Config } from '../config/schema.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { durationText } from '../core/text.ts';
import { type Folders, foldersIn } from '../repository/folders.ts';
import type { Scan } from '../repository/scan.ts';
import { type CatalogEntry, catalogEntry } from './catalog-entry.ts';

/** How long the repository may take to be listed before that is logged. */
const LIST_MS = 2_000;

/**
 * The models' folders by name, and links that lead nowhere. Reads no package. Rejects if the repository cannot be read; one on a
 * disk that hangs is waited for, and logged.
 */
export async function listModels({ repository }: Config, log: Log): Promise<Folders> {
  const listing = foldersIn(repository).catch((cause: unknown) => {
    throw new Error(`repository ${repository}: ${messageOf(cause)}`, { cause });
  });
  if (!(await within(listing, LIST_MS))) {
    const message = `repository ${repository}: not listed after ${durationText(LIST_MS)}, and no port opens before it is. Is the disk or the network mount gone?`;
    log({ level: 'error', message });
  }
  return await listing;
}

/** A folder of the repository that cannot be opened, as a model without versions. */
export function brokenEntry(
  config: Config,
  { name: model, reason: message }: Folders['broken'][number],
): CatalogEntry {
  const { repository: root } = config;
  const problems = [{ where: `${root}/${model}`, message }];
  return catalogEntry(config, { model, root, packages: [], problems, aside: [] });
}

/** A model whose folder was read. What cannot be served of it, or is asked for and not there, is logged. */
export function scannedEntry(
  { config, log }: { readonly config: Config; readonly log: Log },
  model: string,
  scan: Scan,
): CatalogEntry {
  logProblems(scan, log);
  const entry = catalogEntry(config, { ...scan, model, root: config.repository });
  // Of a model whose packages can be read and whose settings cannot be, the scan knows nothing.
  if (entry.packages.size === 0 && scan.packages.length > 0) {
    const message = `cannot be served: ${entry.problems.at(-1)?.reason}`;
    log({ level: 'error', message, facts: { model } });
  }
  return entry;
}

/** Says what cannot be served, and what is asked for and not done. */
export function logProblems({ problems, notes }: Pick<Scan, 'problems' | 'notes'>, log: Log): void {
  for (const { where, message } of problems)
    log({ level: 'error', message: `cannot be served: ${message}`, facts: { where } });
  for (const { where, message } of notes) log({ level: 'warn', message, facts: { where } });
}
