import { createHmac, timingSafeEqual } from 'node:crypto';
import { ServeError } from '../core/errors.ts';

/** What a feedback token says: which answer a label is for. */
export type TokenClaims = {
  readonly model: string;
  /** The version that answered. */
  readonly version: string;
  /** Our own id of the request. */
  readonly requestId: string;
  /** Wall clock, milliseconds. */
  readonly issuedMs: number;
};

export type FeedbackTokens = {
  /** A token to hand out with an answer: `<claims>.<signature>`, both base64url. */
  readonly issue: (claims: TokenClaims) => string;
  /** The claims of a token of ours. Throws ServeError invalid_input for any other text. */
  readonly read: (token: string) => TokenClaims;
};

/** Longer than any token of ours, since names are bounded; what is longer is not worth a hash. */
const TOKEN_CHARACTERS_MAX = 4096;

/** So that no other use of the same secret ever yields a token. */
const PURPOSE = 'understudy feedback 1\0';

/**
 * Signed with HMAC-SHA256, so that labels can only be given for answers that were really handed out. The holder of the token
 * may label the answer; that a label is joined once is `Capture`'s to keep. The secret needs 16 bytes or more.
 */
export function createFeedbackTokens(secret: () => Uint8Array): FeedbackTokens {
  const { byteLength } = secret();
  if (byteLength < 16) {
    throw new Error(`feedback secret: expected at least 16 bytes, found ${byteLength}`);
  }
  const sign = (payload: string): Buffer =>
    createHmac('sha256', secret()).update(PURPOSE).update(payload).digest();
  return {
    issue: ({ model, version, requestId, issuedMs }) => {
      const payload = Buffer.from(JSON.stringify([model, version, requestId, issuedMs])).toString(
        'base64url',
      );
      return `${payload}.${sign(payload).toString('base64url')}`;
    },
    read: (token) => {
      if (token.length > TOKEN_CHARACTERS_MAX) throw notOurs();
      const [payload, signature, ...rest] = token.split('.');
      if (payload === undefined || signature === undefined || rest.length > 0) throw notOurs();
      const [expected, found] = [sign(payload), Buffer.from(signature, 'base64url')];
      if (found.length !== expected.length || !timingSafeEqual(found, expected)) throw notOurs();
      return claimsOf(payload);
    },
  };
}

/** The signature has been checked: the text is one that `issue` wrote. */
function claimsOf(payload: string): TokenClaims {
  const [model, version, requestId, issuedMs] = JSON.parse(
    Buffer.from(payload, 'base64url').toString(),
  ) as [string, string, string, number];
  return { model, version, requestId, issuedMs };
}

function notOurs(): ServeError {
  return new ServeError(
    'invalid_input',
    'feedback token: expected the token that came with an answer of this server, found another text',
  );
}
