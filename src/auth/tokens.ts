/**
 * Tokens (JWT) of several issuers. A token is verified once; its result counts until the token expires, or the keys of its issuer
 * change. Only signatures with a public key are taken: without one (`none`) or with a shared secret (HS256) nothing is proven.
 */
import { createHash } from 'node:crypto';
import { decodeJwt, errors, jwtVerify } from 'jose';
import { isFetchable, type TokenIssuer } from '../config/token-section.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf, ServeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { fetchJson, readJson } from './fetch-json.ts';
import { IssuerKeys } from './issuer-keys.ts';
import { type RefusalReason, UnauthenticatedError } from './refusal.ts';
import { subjectOf, type TokenSubject } from './token-claims.ts';

const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** How far the clocks of an issuer and of this machine may differ. */
const LEEWAY_S = 30;

const CACHED_MAX = 10_000;

/** Of one issuer: where its keys do not come, or callers bring tokens that are none, those of other issuers are still verified. */
const VERIFYING_MAX = 64;

/** A token that counts: whose it is, and until when, in milliseconds of the wall clock. */
export type VerifiedToken = {
  readonly subject: TokenSubject;
  readonly untilMs: number;
  /** False once it is over, its issuer has other keys, or has not answered for a day. */
  readonly counts: () => boolean;
};

export type TokensOptions = {
  readonly issuers: readonly TokenIssuer[];
  readonly clock: Pick<Clock, 'wallMs' | 'monotonicMs'>;
  readonly log: Log;
  /** The key set of an issuer as JSON; by default from where the configuration says. */
  readonly load?: (issuer: TokenIssuer) => Promise<unknown>;
};

type Issuer = {
  readonly settings: TokenIssuer;
  readonly keys: IssuerKeys;
  readonly verifying: Map<string, Promise<VerifiedToken>>;
};
type Checking = { readonly digest: string; readonly issuer: Issuer };
type Cached = VerifiedToken & { readonly issuer: string };

export class Tokens {
  readonly #clock: Pick<Clock, 'wallMs' | 'monotonicMs'>;
  readonly #issuers: ReadonlyMap<string, Issuer>;
  /** By the digest of the token, oldest first: the tokens themselves are not kept. */
  readonly #cached = new Map<string, Cached>();

  constructor({ issuers, clock, log, load = loadKeys }: TokensOptions) {
    this.#clock = clock;
    this.#issuers = new Map(
      issuers.map((settings) => {
        const { issuer } = settings;
        const onChange = (): void => this.#forget(issuer);
        const keys = new IssuerKeys({
          ...{ issuer, clock, log, onChange },
          load: () => load(settings),
        });
        return [issuer, { settings, keys, verifying: new Map() }];
      }),
    );
  }

  /**
   * Whose a token is; at once where it was verified before.
   *
   * @throws UnauthenticatedError, or rejects with it; ServeError `overloaded` where too many are verified at the time.
   */
  verify(token: string): VerifiedToken | Promise<VerifiedToken> {
    const digest = createHash('sha256').update(token).digest('base64');
    const cached = this.#cached.get(digest);
    if (cached?.counts()) return cached;
    const issuer = this.#issuerOf(token);
    const running = issuer.verifying.get(digest);
    if (running !== undefined) return running;
    if (issuer.verifying.size >= VERIFYING_MAX) {
      throw new ServeError('overloaded', 'too many tokens are being verified', {
        retryAfterMs: 1_000,
      });
    }
    const verifying = this.#verify(token, { digest, issuer }).finally(() =>
      issuer.verifying.delete(digest),
    );
    issuer.verifying.set(digest, verifying);
    return verifying;
  }

  async #verify(token: string, { digest, issuer }: Checking): Promise<VerifiedToken> {
    const { settings, keys } = issuer;
    try {
      const { payload } = await jwtVerify(token, keys.find, {
        ...{ issuer: settings.issuer, audience: [...settings.audience], algorithms: ALGORITHMS },
        ...{ clockTolerance: LEEWAY_S, requiredClaims: ['exp'] },
        currentDate: new Date(this.#clock.wallMs()),
      });
      const untilMs = (payload.exp ?? 0) * 1_000;
      const { edition } = keys;
      const verified = {
        subject: subjectOf(payload, settings),
        untilMs,
        issuer: settings.issuer,
        counts: () =>
          untilMs > this.#clock.wallMs() && keys.isCurrent() && keys.edition === edition,
      };
      this.#keep(digest, verified);
      return verified;
    } catch (error) {
      throw refusalOf(error);
    }
  }

  /** The issuer that a token says it is of: whose keys are to prove it. */
  #issuerOf(token: string): Issuer {
    let name: unknown;
    try {
      name = decodeJwt(token).iss;
    } catch (error) {
      throw refusalOf(error);
    }
    const issuer = typeof name === 'string' ? this.#issuers.get(name) : undefined;
    if (issuer !== undefined) return issuer;
    throw new UnauthenticatedError(
      'token-issuer',
      'expected a token of an issuer that auth.tokens names, found one of another',
    );
  }

  #keep(digest: string, verified: Cached): void {
    this.#cached.delete(digest);
    this.#cached.set(digest, verified);
    if (this.#cached.size <= CACHED_MAX) return;
    const [oldest] = this.#cached.keys();
    if (oldest !== undefined) this.#cached.delete(oldest);
  }

  #forget(issuer: string): void {
    for (const [digest, cached] of this.#cached)
      if (cached.issuer === issuer) this.#cached.delete(digest);
  }
}

/** What a caller learns is which check failed, and nothing of the keys. */
function refusalOf(error: unknown): unknown {
  if (error instanceof ServeError) return error;
  const [reason, found]: [RefusalReason, string] =
    error instanceof errors.JWTExpired
      ? ['token-expired', 'one that has expired']
      : error instanceof errors.JWTClaimValidationFailed
        ? ['token-claims', `one whose claim "${error.claim}" is missing or another`]
        : ['token-invalid', 'one that is malformed, or signed by another key or algorithm'];
  return new UnauthenticatedError(reason, `expected a token that is valid here, found ${found}`, {
    cause: error,
  });
}

/** From the file or the address that the configuration names, else from where the issuer says. */
async function loadKeys({ issuer, jwks }: TokenIssuer): Promise<unknown> {
  if (jwks !== undefined)
    return jwks.includes('://') ? await fetchJson(jwks) : await readJson(jwks);
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const found = await fetchJson(url);
  const { issuer: name, jwks_uri: address } = recordOf(found);
  if (name !== issuer) {
    throw new Error(`${url}: expected the issuer "${issuer}", found ${shown(name)}`);
  }
  if (typeof address !== 'string' || !isFetchable(address)) {
    throw new Error(`${url}: expected jwks_uri with https, found ${shown(address)}`);
  }
  return await fetchJson(address).catch((error: unknown) => {
    throw new Error(`${address}: ${messageOf(error)}`, { cause: error });
  });
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 100);
}
