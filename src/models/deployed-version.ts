import type { Joining } from '../core/joining.ts';
import type { Signature } from '../core/tensor.ts';
import type { Life } from '../core/version.ts';
import type { ModelVersionState, ServingFacts } from '../core/version-state.ts';
import type { Package } from '../repository/package.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { servingFacts } from './serving-facts.ts';

/** One version as the gateway sees it: made once for each reading of the model, and its life read at each look. */
export class DeployedVersion implements ModelVersionState {
  readonly version: string;
  readonly signature: Signature;
  readonly platform = 'onnxruntime_onnx';
  readonly labels: ReadonlyMap<string, readonly string[]>;
  readonly facts: ServingFacts;
  readonly #life: () => Life;
  readonly #joining: () => Joining | undefined;

  constructor(
    found: Package,
    entry: CatalogEntry,
    now: { readonly life: () => Life; readonly joining: () => Joining | undefined },
  ) {
    this.version = found.version;
    this.signature = found.signature;
    this.labels = found.labelsByOutput;
    this.facts = servingFacts(entry, found);
    this.#life = now.life;
    this.#joining = now.joining;
  }

  get joining(): Joining | undefined {
    return this.#joining();
  }

  get life(): Life {
    return this.#life();
  }
}
