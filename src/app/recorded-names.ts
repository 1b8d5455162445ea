import type { Config } from '../config/schema.ts';
import { scanModel } from '../repository/scan.ts';
import type { Controller } from '../rollout/controller.ts';
import type { Catalog } from './catalog.ts';
import { catalogEntry } from './catalog-entry.ts';

export type RecordedNamesOptions = {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly controller: Pick<Controller, 'recordedVersions'>;
  readonly named: (model: string) => readonly string[];
};

/**
 * Reads the folders that were left aside and that the ledger leads to after all: a version whose name is no number may have been
 * promoted. To be called once the ledger has been read.
 */
export async function readRecordedNames(options: RecordedNamesOptions): Promise<void> {
  const { config, catalog, controller, named } = options;
  for (const { model, aside } of catalog.entries()) {
    const recorded = controller.recordedVersions(model);
    if (!recorded.some((version) => aside.includes(version))) continue;
    const known = catalog.find.bind(catalog);
    const scan = await scanModel(config.repository, model, { named, known });
    catalog.replace(catalogEntry(config, { ...scan, model, root: config.repository }));
  }
}
