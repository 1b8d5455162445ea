import type { ServeErrorCode } from '../../src/core/errors.ts';
import { hasNonFinite } from '../../src/core/non-finite.ts';
import type { Observation } from '../../src/core/outcome.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import type { Contestant } from '../../src/trials/comparable.ts';

/** The models of all worlds name one of so many classes. The right one is always class 0. */
export const CLASSES = 4;
const OUTPUT = 'scores';

/** One version's answer to one request. */
export type Answer = {
  readonly tookMs: number;
  /** Undefined: it answered. */
  readonly failure?: ServeErrorCode | undefined;
  /** The class that it names; 0, the right one, where absent. */
  readonly class?: number;
  /** What it answered, where that is more than a class with a high score. */
  readonly outputs?: readonly Tensor[];
};

const BY_CLASS = Array.from({ length: CLASSES }, (_, top) => [
  scores(Array.from({ length: CLASSES }, (__, at) => (at === top ? 0.91 : 0.03))),
]);

/** A row of class scores, as the models give it. */
export function scores(values: readonly number[]): Tensor {
  const data = new Uint8Array(new Float32Array(values).buffer);
  return { name: OUTPUT, dtype: 'FP32', shape: [1, values.length], data };
}

function outputsOf({ outputs, class: top = 0 }: Answer): readonly Tensor[] {
  const named = outputs ?? BY_CLASS[top];
  if (named === undefined)
    throw new RangeError(`class: expected 0 to ${CLASSES - 1}, found ${top}`);
  return named;
}

/** The answer as the judging side sees it. */
export function observed(answer: Answer): Observation {
  if (answer.failure !== undefined) {
    return { kind: 'failure', code: answer.failure, message: 'failed in the simulation' };
  }
  const outputs = outputsOf(answer);
  return { kind: 'answer', outputs, computeMs: answer.tookMs, nonFinite: nonFiniteOf(answer) };
}

/** Outputs with NaN or infinities, as the worker finds them; undefined: none. */
export function nonFiniteOf(answer: Answer): readonly string[] | undefined {
  const found = (answer.outputs ?? []).filter((output) => hasNonFinite(output));
  return found.length === 0 ? undefined : found.map(({ name }) => name);
}

/** True if the caller got no right answer. */
export function isBad({ failure, class: top = 0, outputs }: Answer): boolean {
  return failure !== undefined || top !== 0 || outputs !== undefined;
}

/** What the repository knows of the two versions on trial. */
export function contestant(version: string): Contestant {
  return {
    version,
    labels: undefined,
    task: 'classification',
    compare: undefined,
    signature: {
      inputs: [{ name: 'x', dtype: 'FP32', shape: [-1, 8] }],
      outputs: [{ name: OUTPUT, dtype: 'FP32', shape: [-1, CLASSES] }],
    },
  };
}
