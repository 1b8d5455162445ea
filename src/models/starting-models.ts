import { type Deferred, deferred } from '../concurrency/deferred.ts';
import type { StartingModel } from '../core/repository-version.ts';

type Starting = { why: string; readonly ended: Deferred<void> };

/**
 * The models that this process has not taken up yet, from the moment at which their folders are known: being read, then being
 * loaded. No traffic is routed to them, regardless of their routes.
 */
export class StartingModels {
  readonly #models = new Map<string, Starting>();

  /** `why` says what it waits for, such as `its package is being read`. */
  become(model: string, why: string): void {
    const known = this.#models.get(model);
    if (known === undefined) this.#models.set(model, { why, ended: deferred() });
    else known.why = why;
  }

  /** It has been taken up, or cannot be. */
  end(model: string): void {
    this.#models.get(model)?.ended.resolve();
    this.#models.delete(model);
  }

  /** What a model waits for; undefined: it does not start. Asked for each request. */
  readonly whyStarting = (model: string): string | undefined => this.#models.get(model)?.why;

  /** By name. */
  readonly list = (): readonly StartingModel[] =>
    [...this.#models]
      .map(([model, { why }]) => ({ model, why }))
      .sort((a, b) => (a.model < b.model ? -1 : 1));

  /** Resolves once the model starts no more. */
  async ended(model: string): Promise<void> {
    await this.#models.get(model)?.ended.promise;
  }
}
