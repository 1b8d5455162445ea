import { resolve } from 'node:path';
import * as z from 'zod';
import { DEFAULTS } from './defaults.ts';
import { expected, section } from './expected.ts';

/** An entry of `auth.tokens`: one issuer of tokens (JWT), such as an OpenID provider. */
export type TokenIssuer = {
  /** The claim `iss`, character by character. */
  readonly issuer: string;
  /** The claim `aud` must have one of them. */
  readonly audience: readonly string[];
  /** The key set: a URL, or a file by its absolute path. Undefined: what the issuer's discovery document says. */
  readonly jwks: string | undefined;
  /** The claim that names the user. */
  readonly name: string;
  /** The claim whose values are groups. */
  readonly roles: string;
  /** Put before the names of users and groups, so that those of two issuers stay apart. Kubernetes' --oidc-username-prefix. */
  readonly prefix: string;
};

/** More are a mistake. */
const ISSUERS_MAX = 16;
const AUDIENCES_MAX = 16;
const TEXT_LENGTH_MAX = 500;

/** Keys come by TLS, or from this machine. */
export function isFetchable(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isHere = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
  return username + password === '' && (protocol === 'https:' || (protocol === 'http:' && isHere));
}

const aText = (what: string) =>
  z
    .string({ error: expected(what) })
    .min(1, { error: expected(what) })
    .max(TEXT_LENGTH_MAX, { error: expected(what) });

const anAudience = aText('the audience that tokens for this gateway have');
const A_KEY_SET = 'a URL with https (http on this machine), or a file';
const A_PREFIX = 'a prefix such as "corp:", printable and without spaces';

const issuer = section({
  issuer: aText('the issuer, as in the claim iss: https://login.example.com'),
  audience: z.union([anAudience, z.array(anAudience).min(1).max(AUDIENCES_MAX)], {
    error: expected('an audience, or a list of audiences'),
  }),
  jwks: aText(A_KEY_SET)
    .refine((text) => !text.includes('://') || isFetchable(text), {
      error: `expected ${A_KEY_SET}`,
    })
    .optional(),
  name: aText('the name of a claim').default(DEFAULTS.auth.tokens.name),
  roles: aText('the name of a claim').default(DEFAULTS.auth.tokens.roles),
  prefix: z
    .string({ error: expected(A_PREFIX) })
    .regex(/^[\x21-\x7e]{0,50}$/, { error: expected(A_PREFIX) })
    .default(DEFAULTS.auth.tokens.prefix),
}).refine(({ issuer, jwks }) => jwks !== undefined || isFetchable(issuer), {
  error:
    'expected a URL with https (http on this machine), or jwks: without it the issuer is asked for its keys',
  path: ['issuer'],
});

const anIssuerList = expected(`a list of at most ${ISSUERS_MAX} issuers`);

/** The schema of `auth.tokens`. */
export const tokensSchema = z
  .array(issuer, { error: anIssuerList })
  .max(ISSUERS_MAX, { error: anIssuerList })
  .refine((list) => new Set(list.map((each) => each.issuer)).size === list.length, {
    error: 'expected each issuer once',
  })
  .refine(
    (list) =>
      list.every((a, at) =>
        list.every((b, other) => at === other || !b.prefix.startsWith(a.prefix)),
      ),
    {
      error:
        'expected a prefix for each of several issuers, none of which begins with another: users of the same name are different users',
    },
  )
  .transform((list) =>
    list.map(
      ({ audience, jwks, ...rest }): TokenIssuer => ({
        ...rest,
        audience: typeof audience === 'string' ? [audience] : audience,
        jwks,
      }),
    ),
  );

/** The issuers with the paths of files made absolute. */
export function tokensFrom(base: string, tokens: readonly TokenIssuer[]): readonly TokenIssuer[] {
  return tokens.map(({ jwks, ...rest }) => ({
    ...rest,
    jwks: jwks === undefined || jwks.includes('://') ? jwks : resolve(base, jwks),
  }));
}
