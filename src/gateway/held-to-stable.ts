import { ServeError } from '../core/errors.ts';
import type { InferRequest, InferResponse } from '../core/infer.ts';
import type { Joining } from '../core/joining.ts';
import type { Signature } from '../core/tensor.ts';
import { whyUnlikeStable } from '../host/answer-fit.ts';

/** What stable's answers have kept to: its signature, by default all of it. */
type StableForm = {
  readonly signature: Signature;
  readonly form?: () => Signature;
  readonly joining?: () => Joining;
};

/**
 * The answer of an arm on trial, where it is in the form of stable's answers: clients know that one alone.
 * @throws ServeError `runtime_failed` where it is not.
 */
export function heldToStable(
  answer: InferResponse,
  { inputs }: InferRequest,
  stable: StableForm,
): InferResponse {
  const signature = stable.form?.() ?? stable.signature;
  const form = { signature, joining: stable.joining?.() };
  const why = whyUnlikeStable(answer.outputs, form, inputs);
  if (why === undefined) return answer;
  throw new ServeError('runtime_failed', `the model's answer, beside stable's: ${why}`);
}
