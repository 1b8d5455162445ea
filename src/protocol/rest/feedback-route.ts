import type { FastifyReply, FastifyRequest } from 'fastify';

import { ServeError } from '../../core/errors.ts';
import type { LabelSource } from '../../core/label-source.ts';
import { answerOfState, type LabelState } from '../../core/label-state.ts';
import type { AskerOf } from './caller-door.ts';
import { parseJson } from './json-text.ts';

/**
 * Takes a label for the request that a token stands for. Throws ServeError: `invalid_input` for a
 * token that is not ours and for a label that cannot be one, `forbidden` for a caller that may not label, or not more in this
 * rollout, and `overloaded` for one that labels too fast.
 */
export type Feedback = (token: string, label: unknown, source: LabelSource) => LabelState;

/** A label is a name, a number or a short list; a call that brings more has gone to the wrong address. */
const FEEDBACK_BYTES_MAX = 65_536;

/** `POST /v1/feedback` with `{"token": ..., "label": ...}`. */
export function createFeedbackRoute(feedback: Feedback, askerOf: AskerOf) {
  return async (http: FastifyRequest, reply: FastifyReply) => {
    const { token, label } = parseFeedback(http.body);
    const address = http.socket.remoteAddress ?? '';
    const state = feedback(token, label, { plane: 'data', address, asker: askerOf(http.raw) });
    reply.code(state === 'waiting' ? 202 : 200);
    return answerOfState(state);
  };
}

function parseFeedback(body: unknown): { token: string; label: unknown } {
  if (!Buffer.isBuffer(body)) throw invalid('expected a JSON object, found no body');
  if (body.byteLength > FEEDBACK_BYTES_MAX) {
    throw new ServeError(
      'too_large',
      `unexpected feedback: expected at most ${FEEDBACK_BYTES_MAX} bytes, found ${body.byteLength}`,
    );
  }
  const value = parseJson(body);
  if (typeof value !== 'object' || value === null) {
    throw invalid('expected a JSON object with token and label, found none');
  }
  const { token, label } = value as { token?: unknown; label?: unknown };
  if (typeof token !== 'string')
    throw invalid(`expected token to be a string, found ${typeof token}`);
  if (label === undefined || label === null) throw invalid('expected a label, found none');
  return { token, label };
}

function invalid(detail: string): ServeError {
  return new ServeError('invalid_input', `unexpected feedback: ${detail}`);
}
