import { systemClock } from '../../src/core/clock.ts';
import type { InferRequest } from '../../src/core/infer.ts';
import { aTensor } from './a-tensor.ts';

/** A request with one row of these values, which may take 20 seconds by default. */
export function anInferRequest(
  values: readonly number[] = [1, 2, 3, 4],
  given: Partial<InferRequest> & { readonly withinMs?: number } = {},
): InferRequest {
  const { withinMs = 20_000, ...fields } = given;
  return {
    id: 'r',
    model: 'm',
    version: undefined,
    unit: 'u',
    traceparent: undefined,
    caller: undefined,
    attributes: {},
    priority: 0,
    inputs: [aTensor(values)],
    outputs: undefined,
    deadlineMs: systemClock.monotonicMs() + withinMs,
    ...fields,
  };
}
