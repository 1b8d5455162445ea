import { type ComparatorChoice, comparedOutputs, settingOf } from '../compare/compared-outputs.ts';
import type { Clock } from '../core/clock.ts';
import type { Comparison } from '../core/comparison.ts';
import type { Pair } from '../core/outcome.ts';
import type { Random } from '../core/random.ts';
import type { Rollout } from '../core/rollout.ts';
import type { KeptFor, NewExample } from './example.ts';
import { type Choice, differenceSize, ExampleSampler } from './example-sampler.ts';
import type { ExampleStore } from './example-store.ts';
import { type ExampleFacts, newExample } from './new-example.ts';
import type { SaidOptions } from './said.ts';

/** What is asked of stable's package. */
export type ExampleSource = ComparatorChoice & { readonly labels: readonly string[] | undefined };

export type RolloutExamplesOptions = {
  readonly rollout: ExampleFacts['rollout'] & {
    readonly startedMs: number;
    readonly spec: Pick<Rollout['spec'], 'compare'>;
  };
  readonly stable: ExampleSource;
  readonly store: ExampleStore;
  /** Whether anything is kept at present. */
  readonly isOn: () => boolean;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly random: Random;
};

/** Chooses which pairs of one rollout are kept as examples, and hands them to the store of its model. */
export class RolloutExamples {
  readonly #options: RolloutExamplesOptions;
  readonly #sampler: ExampleSampler;
  readonly #said: SaidOptions;
  #isRestored = false;

  constructor(options: RolloutExamplesOptions) {
    this.#options = options;
    const { rollout, stable, store } = options;
    const { startedMs, id } = rollout;
    this.#sampler = new ExampleSampler({ startedMs, random: options.random });
    this.#said = { classOutputs: classOutputsOf(stable, rollout.spec), labels: stable.labels };
    store.watch(id, ({ head, isEvicted }) => this.#sampler.gone(head.id, isEvicted));
  }

  /** Takes a pair that was compared. Never blocks; most pairs cost a fraction of a microsecond. */
  offer(pair: Pair, comparison: Comparison): void {
    const { store, isOn, clock } = this.#options;
    if (!isOn() || !store.isOpen) return;
    this.#restore();
    if (comparison.stableFailed && comparison.candidateFailed) return;
    const size = differenceSize({ distances: undefined, ...comparison });
    const atMs = clock.wallMs();
    const choice = this.#sampler.consider(size, atMs);
    if (choice === undefined) return;
    const example = this.#exampleOf(pair, comparison, { choice, atMs });
    if (!store.put(example)) return;
    for (const displaced of this.#sampler.take(example.head.id, choice, { ...size, atMs })) {
      store.release(displaced.id, displaced.for);
    }
  }

  /** Continues from what an earlier process has kept of this rollout. */
  #restore(): void {
    if (this.#isRestored) return;
    this.#isRestored = true;
    const { store, rollout } = this.#options;
    const limit = Number.MAX_SAFE_INTEGER;
    const heads = store.list({ rolloutId: rollout.id, order: 'newest', limit });
    for (const { id, for: reason } of this.#sampler.restore(heads)) store.release(id, reason);
  }

  #exampleOf(
    pair: Pair,
    comparison: Comparison,
    { choice, atMs }: { readonly choice: Choice; readonly atMs: number },
  ): NewExample {
    const keptFor: KeptFor[] = [];
    if (choice.isLargest) keptFor.push('largest');
    if (choice.isRandom) keptFor.push('random');
    const { rollout } = this.#options;
    const facts = { rollout, said: this.#said, atMs, keptFor, keys: choice.keys };
    return newExample(pair, comparison, { ...facts, seen: this.#sampler.seen });
  }
}

function classOutputsOf(
  stable: ExampleSource,
  spec: Pick<Rollout['spec'], 'compare'>,
): readonly string[] {
  const compared = comparedOutputs({ ...stable, compare: settingOf(stable, spec) });
  return compared.flatMap(({ family, output }) =>
    family === 'rankedClasses' ? [output.name] : [],
  );
}
