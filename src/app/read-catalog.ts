import { relative, sep } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { Log } from '../core/log.ts';
import { type Problem, type Scan, scanRepository } from '../repository/scan.ts';
import { Catalog } from './catalog.ts';
import { type CatalogEntry, catalogEntry, type Found } from './catalog-entry.ts';
import { versionsNamedIn } from './named-versions.ts';
import { namesNotFound } from './names-not-found.ts';

/**
 * Reads the repository. What cannot be served, or is asked for and not there, is told once, and the rest goes on. Rejects
 * only if the repository itself cannot be read.
 */
export async function readCatalog(config: Config, log: Log): Promise<Catalog> {
  const named = (model: string): Iterable<string> => versionsNamedIn(config, model);
  const scan = await scanRepository(config.repository, { named });
  const whole = scan.problems.find(({ where }) => where === config.repository);
  if (whole !== undefined) throw new Error(`repository ${whole.where}: ${whole.message}`);
  tellOf(scan, log);
  if (scan.packages.length === 0)
    log({
      level: 'warn',
      message: `no models: expected ${config.repository}/<model>/<version>/model.onnx`,
    });
  const entries = foundIn(config.repository, scan).map((found) => catalogEntry(config, found));
  const catalog = new Catalog(config, entries);
  tellOfContradictions(entries, scan, log);
  for (const message of namesNotFound(config, catalog)) log({ level: 'error', message });
  return catalog;
}

/** Of a model whose packages can be read and whose settings cannot be, the scan knows nothing. */
function tellOfContradictions(
  entries: readonly CatalogEntry[],
  { packages }: Scan,
  log: Log,
): void {
  for (const { model, problems, packages: served } of entries) {
    if (served.size > 0 || !packages.some((each) => each.model === model)) continue;
    const message = `cannot be served: ${problems.at(-1)?.reason}`;
    log({ level: 'error', message, facts: { model } });
  }
}

/** Says what cannot be served, and what is asked for and not done. */
export function tellOf({ problems, notes }: Scan, log: Log): void {
  for (const { where, message } of problems)
    log({ level: 'error', message: `cannot be served: ${message}`, facts: { where } });
  for (const { where, message } of notes) log({ level: 'warn', message, facts: { where } });
}

/** What was found of each model, the models of which nothing can be served included. */
function foundIn(root: string, { packages, problems, aside }: Scan): readonly Found[] {
  const modelOf = ({ where }: Problem): string => relative(root, where).split(sep)[0] ?? '';
  const models = new Set([...packages.map(({ model }) => model), ...problems.map(modelOf)]);
  return [...models].map((model) => ({
    model,
    root,
    packages: packages.filter((each) => each.model === model),
    problems: problems.filter((each) => modelOf(each) === model),
    aside: aside.filter((each) => each.model === model),
  }));
}
