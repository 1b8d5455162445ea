import type { Joining } from '../core/joining.ts';
import type { ProviderReport } from '../core/provider.ts';
import type { RepositoryVersion, ServingFacts } from '../core/repository-version.ts';
import type { Signature } from '../core/tensor.ts';
import type { VersionState } from '../core/version.ts';
import type { Package } from '../repository/package.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { servingFacts } from './serving-facts.ts';

/** What is asked at each look. */
type Now = {
  readonly state: () => VersionState;
  readonly joining: () => Joining | undefined;
  readonly provider: () => ProviderReport | undefined;
};

/** One version as the gateway sees it: made once for each reading of the model, and its state read at each look. */
export class DeployedVersion implements RepositoryVersion {
  readonly version: string;
  readonly signature: Signature;
  readonly platform = 'onnxruntime_onnx';
  readonly labels: ReadonlyMap<string, readonly string[]>;
  readonly facts: ServingFacts;
  readonly #now: Now;

  constructor(found: Package, entry: CatalogEntry, now: Now) {
    this.version = found.version;
    this.signature = found.signature;
    this.labels = found.labelsByOutput;
    this.facts = servingFacts(entry, found);
    this.#now = now;
  }

  get joining(): Joining | undefined {
    return this.#now.joining();
  }

  get provider(): ProviderReport | undefined {
    return this.#now.provider();
  }

  get state(): VersionState {
    return this.#now.state();
  }
}
