import type { Config } from '../config/schema.ts';
import type { Log } from '../core/log.ts';
import { scanRepository } from '../repository/scan.ts';
import { Catalog } from './catalog.ts';
import { namesNotFound } from './names-not-found.ts';

/**
 * Reads the repository. What cannot be served, or is asked for and not there, is told once, and the rest goes on. Rejects
 * only if the repository itself cannot be read.
 */
export async function readCatalog(config: Config, log: Log): Promise<Catalog> {
  const { packages, problems } = await scanRepository(config.repository);
  for (const { where, message } of problems) {
    if (where === config.repository) throw new Error(`repository ${where}: ${message}`);
    log({ level: 'error', message: `cannot be served: ${message}`, facts: { where } });
  }
  if (packages.length === 0)
    log({
      level: 'warn',
      message: `no models: expected ${config.repository}/<model>/<version>/model.onnx`,
    });
  const catalog = new Catalog(packages);
  for (const message of namesNotFound(config, catalog)) log({ level: 'error', message });
  return catalog;
}
