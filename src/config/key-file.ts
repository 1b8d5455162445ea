import * as z from 'zod';
import type { Grant } from '../core/caller.ts';
import { grantsSchema } from './auth-section.ts';
import { expected, section } from './expected.ts';
import { formatPath, issuesOf } from './issues.ts';

/** An API key as it lies on disk: what it may do, and a digest by which it is recognised. Never the key. */
export type KeyFile = {
  /** The eight characters by which the key is found. */
  readonly id: string;
  /** Several keys may have one name: they are one caller, `key:NAME`. */
  readonly name: string;
  /** HMAC-SHA256 of the whole key under the pepper, as 64 hex digits. */
  readonly digest: string;
  readonly grants: readonly Grant[];
  /** Times are of the wall clock, in milliseconds. */
  readonly createdMs: number;
  /** Undefined: it does not expire. */
  readonly expiresMs: number | undefined;
  /** Undefined: it was not revoked. */
  readonly revokedMs: number | undefined;
};

const aName = expected('a name of letters, digits and . _ @ -, at most 64 characters');

/** The name of a key. */
export const keyName = z
  .string({ error: aName })
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, { error: aName });

const time = z.iso
  .datetime({ error: expected('a time such as 2026-12-31T00:00:00.000Z') })
  .transform((text) => Date.parse(text));

const schema = section({
  version: z.literal(1, { error: expected('version 1') }),
  id: z.string().regex(/^[0-9A-Za-z]{8}$/, { error: expected('eight letters and digits') }),
  name: keyName,
  digest: z.string().regex(/^[0-9a-f]{64}$/, { error: expected('64 hex digits') }),
  grants: grantsSchema,
  created: time,
  expires: time.nullable(),
  revoked: time.nullable(),
});

/** @throws Error that names every problem. */
export function parseKeyFile(text: string): KeyFile {
  const { data, error } = schema.safeParse(JSON.parse(text));
  if (error !== undefined) {
    const problems = issuesOf(error).map(({ path, message }) => `${formatPath(path)}: ${message}`);
    throw new Error(problems.join('; '));
  }
  const { id, name, digest, grants, created, expires, revoked } = data;
  return {
    ...{ id, name, digest, grants, createdMs: created },
    expiresMs: expires ?? undefined,
    revokedMs: revoked ?? undefined,
  };
}

/** The text of a file that `parseKeyFile` reads. */
export function keyFileText({ id, name, digest, grants, ...times }: KeyFile): string {
  const file = {
    ...{ version: 1, id, name, digest, grants },
    created: timeText(times.createdMs),
    expires: timeText(times.expiresMs),
    revoked: timeText(times.revokedMs),
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

function timeText(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
