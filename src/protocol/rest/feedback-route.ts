import type { FastifyReply, FastifyRequest } from 'fastify';

import { ServeError } from '../../core/errors.ts';
import type { LabelSource, LabelTarget } from '../../core/label-source.ts';
import {
  answerOfState,
  type LabelAnswer,
  type LabelBatchAnswer,
  type LabelState,
  type RefusedLabel,
} from '../../core/label-state.ts';
import type { AskerOf } from './caller-door.ts';
import { feedbackItems, itemOf } from './feedback-body.ts';

/**
 * Takes a label for a request. Throws ServeError: `invalid_input` for a token that is not ours and for a label that cannot be one,
 * `forbidden` for a caller that may not label, or not more in this rollout, and `overloaded` for one that labels too fast.
 */
export type Feedback = (target: LabelTarget, label: unknown, source: LabelSource) => LabelState;

/** Items that are taken in one turn of the event loop: some 2 ms, in which requests wait. */
const ITEMS_AT_ONCE = 100;

/** `POST /v1/feedback` with one label, or with many as a JSON array or as JSON lines. */
export function createFeedbackRoute(feedback: Feedback, askerOf: AskerOf) {
  return async (http: FastifyRequest, reply: FastifyReply) => {
    const address = http.socket.remoteAddress ?? '';
    const source: LabelSource = { plane: 'data', address, asker: askerOf(http.raw) };
    const { items, isBatch } = feedbackItems(http.body, http.headers['content-type']);
    const take = (item: unknown): LabelAnswer => {
      const { label, ...target } = itemOf(item);
      return answerOfState(feedback(target, label, source));
    };
    if (isBatch) return answerBatch(items, take, reply);
    const [only] = items;
    const answer = take(only);
    reply.code(answer.state === 'waiting' ? 202 : 200);
    return answer;
  };
}

/** One item that cannot be taken costs no other. */
async function answerBatch(
  items: readonly unknown[],
  take: (item: unknown) => LabelAnswer,
  reply: FastifyReply,
): Promise<LabelBatchAnswer> {
  const answers: (LabelAnswer | RefusedLabel)[] = [];
  let retryAfterMs = 0;
  for (const [at, item] of items.entries()) {
    try {
      answers.push(take(item));
    } catch (thrown) {
      const error = ServeError.from(thrown);
      retryAfterMs = Math.max(retryAfterMs, error.retryAfterMs ?? 0);
      answers.push({ state: 'refused', why: error.message, code: error.code });
    }
    if (at % ITEMS_AT_ONCE === ITEMS_AT_ONCE - 1)
      await new Promise((resolve) => setImmediate(resolve));
  }
  if (retryAfterMs > 0) reply.header('retry-after', Math.ceil(retryAfterMs / 1_000));
  const counts: Record<string, number> = {};
  for (const { state } of answers) counts[state] = (counts[state] ?? 0) + 1;
  return { counts, items: answers };
}
