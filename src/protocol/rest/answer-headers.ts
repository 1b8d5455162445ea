import type { FastifyReply } from 'fastify';

/** Names of the headers that answers over HTTP carry: the version that answered, and the token to label the answer with. */
export const VERSION_HEADER = 'x-understudy-version';
export const FEEDBACK_HEADER = 'x-understudy-feedback';

export type AnswerHeaders = {
  readonly version: string;
  /** Undefined: none is given out. */
  readonly token: string | undefined;
};

export function writeAnswerHeaders(reply: FastifyReply, { version, token }: AnswerHeaders): void {
  reply.header(VERSION_HEADER, headerText(version));
  if (token !== undefined) reply.header(FEEDBACK_HEADER, token);
}

/** A version may be any string, a header may not: what is not printable ASCII is percent-encoded. */
function headerText(text: string): string {
  return /^[\x21-\x7e]*$/.test(text) ? text : encodeURIComponent(text);
}
