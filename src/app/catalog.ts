import type { ModelVersion } from '../core/version.ts';
import type { Package } from '../repository/package.ts';

/** The packages of the repository, by model and version. */
export class Catalog {
  readonly #models = new Map<string, Map<string, Package>>();

  constructor(packages: readonly Package[]) {
    for (const each of packages) {
      const versions = this.#models.get(each.model) ?? new Map<string, Package>();
      this.#models.set(each.model, versions.set(each.version, each));
    }
  }

  models(): readonly string[] {
    return [...this.#models.keys()].sort();
  }

  find({ model, version }: ModelVersion): Package | undefined {
    return this.#models.get(model)?.get(version);
  }

  /** In the order in which they were found. */
  versions(model: string): readonly Package[] {
    return [...(this.#models.get(model)?.values() ?? [])];
  }
}
