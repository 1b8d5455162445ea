import type { ModelConfig } from '../config/model-section.ts';
import { type Config, modelConfig } from '../config/schema.ts';
import type { ModelVersion } from '../core/version.ts';
import type { Package } from '../repository/package.ts';
import type { CatalogEntry } from './catalog-entry.ts';

/** The models of the repository, as they were last read. */
export class Catalog {
  readonly #config: Config;
  readonly #entries: Map<string, CatalogEntry>;

  constructor(config: Config, entries: readonly CatalogEntry[]) {
    this.#config = config;
    this.#entries = new Map(entries.map((entry) => [entry.model, entry]));
  }

  /** Those of which at least one version can be served. */
  models(): readonly string[] {
    return this.entries().flatMap(({ model, packages }) => (packages.size > 0 ? [model] : []));
  }

  /** Every model that was read, by name. */
  entries(): readonly CatalogEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.model < b.model ? -1 : 1));
  }

  entry(model: string): CatalogEntry | undefined {
    return this.#entries.get(model);
  }

  /** How a model is run; of one that was not read, what `understudy.yaml` says. */
  settings(model: string): ModelConfig {
    return this.#entries.get(model)?.settings ?? modelConfig(this.#config, model);
  }

  /** What the section `rollout` of a model leaves out, as the configuration has it at present. */
  rolloutDefaults(): Config['rollout'] {
    return this.#config.rollout;
  }

  find({ model, version }: ModelVersion): Package | undefined {
    return this.#entries.get(model)?.packages.get(version);
  }

  /** In the order in which they were found. */
  versions(model: string): readonly Package[] {
    return [...(this.#entries.get(model)?.packages.values() ?? [])];
  }

  /** A model whose folder is gone, and that is not in use. */
  remove(model: string): void {
    this.#entries.delete(model);
  }

  /** What was read of a model takes the place of what was read before. */
  replace(entry: CatalogEntry): void {
    this.#entries.set(entry.model, entry);
  }
}
