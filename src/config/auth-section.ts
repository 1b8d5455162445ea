import { resolve } from 'node:path';
import * as z from 'zod';
import { type Grant, ROLES } from '../core/caller.ts';
import { DEFAULTS } from './defaults.ts';
import { expected, section } from './expected.ts';
import { directory, modelName } from './quantities.ts';
import { type TokenIssuer, tokensFrom, tokensSchema } from './token-section.ts';

/** The section `auth`: who may call, and what for. Absent: everyone may do all. */
export type AuthSection = {
  /** The folder of API keys, absolute. */
  readonly keys: string;
  /** The issuers of tokens that are taken. */
  readonly tokens: readonly TokenIssuer[];
  /** What callers without credentials may do, and so what every caller may. */
  readonly anonymous: readonly Grant[];
  /** What users, groups and certificates may do. Keys carry their own grants. */
  readonly grants: readonly GrantTo[];
};

/** `to` is `user:NAME`, `group:NAME` or `certificate:NAME`. */
export type GrantTo = Grant & { readonly to: string };

/** More of them belong into groups. */
const GRANTS_MAX = 1_000;
const MODELS_MAX = 1_000;

const aModelList = expected('"*" or a list of models');

const models = z
  .union([z.literal('*'), z.array(modelName).min(1, { error: aModelList }).max(MODELS_MAX)], {
    error: aModelList,
  })
  .default('*');

const role = z.enum(ROLES, { error: expected(`one of ${ROLES.join(', ')}`) });

/** The role of the whole gateway is none of some models. */
function isWhole({ role, models }: Grant): boolean {
  return role !== 'admin' || models === '*';
}

const WHOLE = {
  error: 'expected models: "*" with the role admin: it is a role of the whole gateway',
  path: ['models'],
};

const grant = section({ role, models }).refine(isWhole, WHOLE);

/** Printable, without spaces, and of a length that fits into logs. */
const TO = /^(user|group|certificate):[\x21-\x7e]{1,200}$/;

const aSubject = expected(
  'user:NAME, group:NAME or certificate:NAME without spaces (a key brings its own grants)',
);

const grantTo = section({
  to: z.string({ error: aSubject }).regex(TO, { error: aSubject }),
  role,
  models,
}).refine(isWhole, WHOLE);

const aGrantList = expected(`a list of at most ${GRANTS_MAX} grants`);

/** The schema of a list of grants, as of `auth.anonymous` and of a key. */
export const grantsSchema = z.array(grant, { error: aGrantList }).max(GRANTS_MAX, {
  error: aGrantList,
});

/** The schema of `auth`. */
export const authSchema = section({
  keys: directory.default(DEFAULTS.auth.keys),
  tokens: tokensSchema.prefault([]),
  anonymous: grantsSchema.default([...DEFAULTS.auth.anonymous]),
  grants: z
    .array(grantTo, { error: aGrantList })
    .max(GRANTS_MAX, { error: aGrantList })
    .default([...DEFAULTS.auth.grants]),
});

/** The section with its paths made absolute from the folder of the file. */
export function authFrom(base: string, written: AuthSection): AuthSection {
  const { keys, tokens } = written;
  return { ...written, keys: resolve(base, keys), tokens: tokensFrom(base, tokens) };
}
