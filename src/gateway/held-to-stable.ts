import { UnfitAnswerError } from '../core/failure-kind.ts';
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
 * @throws UnfitAnswerError where it is not.
 */
export function heldToStable(
  answer: InferResponse,
  request: Pick<InferRequest, 'inputs' | 'outputs'>,
  stable: StableForm,
): InferResponse {
  const signature = stable.form?.() ?? stable.signature;
  const form = { signature, joining: stable.joining?.() };
  const unfit = whyUnlikeStable(answer.outputs, form, request);
  if (unfit === undefined) return answer;
  throw new UnfitAnswerError(unfit.kind, `the model's answer, beside stable's: ${unfit.why}`);
}
