import type { Comparison } from '../core/comparison.ts';
import type { Observation, Pair } from '../core/outcome.ts';
import type { Rollout } from '../core/rollout.ts';
import type { Tensor } from '../core/tensor.ts';
import { exampleId, type NewExample } from './example.ts';
import { type SaidOptions, saidOfBoth } from './said.ts';

/** What a pair does not say itself. */
export type ExampleFacts = Pick<NewExample['head'], 'atMs' | 'keptFor' | 'keys' | 'seen'> & {
  readonly rollout: Pick<Rollout, 'id'> & {
    readonly spec: Pick<Rollout['spec'], 'stable' | 'candidate'>;
  };
  readonly said: SaidOptions;
};

/** An example of a pair, with all that there is of it; what of that is kept the store decides. */
export function newExample(
  pair: Pair,
  comparison: Comparison,
  { rollout, said, ...facts }: ExampleFacts,
): NewExample {
  const { requestId, unit, stable, candidate, inputs = [] } = pair;
  const { spec, id: rolloutId } = rollout;
  const { difference, score, distances } = comparison;
  return {
    unit,
    head: {
      id: exampleId(rolloutId, requestId),
      ...{ rolloutId, requestId, difference, score, distances },
      versions: { stable: spec.stable, candidate: spec.candidate },
      attributes: declared(pair.attributes),
      said: saidOfBoth(stable, candidate, said),
      ...facts,
    },
    tensors: { request: inputs, stable: outputsOf(stable), candidate: outputsOf(candidate) },
  };
}

/** The headers that rules look at may hold secrets, and no slice is made of them. */
function declared(attributes: Pair['attributes']): Pair['attributes'] {
  const entries = Object.entries(attributes).filter(([name]) => !name.startsWith('header:'));
  return Object.fromEntries(entries);
}

function outputsOf(answer: Observation): readonly Tensor[] {
  return answer.kind === 'answer' ? answer.outputs : [];
}
