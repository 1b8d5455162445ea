import type { InferResponse } from '../core/infer.ts';

/** The answer with the time from admission to now, in milliseconds. */
export function withTotal(answer: InferResponse, totalMs: number): InferResponse {
  const { model, version, outputs, batch } = answer;
  const { queueMs, computeMs } = answer.timing;
  return { model, version, outputs, batch, timing: { queueMs, computeMs, totalMs } };
}
