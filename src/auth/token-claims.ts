import type { TokenIssuer } from '../config/token-section.ts';
import { UnauthenticatedError } from './refusal.ts';

/** Who a token is of: what grants may name. */
export type TokenSubject = {
  /** `user:NAME`. */
  readonly name: string;
  /** `group:NAME`, one for each role of the token. */
  readonly groups: readonly string[];
};

/** As in `auth.grants`: printable, without spaces, of a length that fits into logs. */
const NAME = /^[\x21-\x7e]{1,200}$/;

type Claims = Readonly<Record<string, unknown>>;

/**
 * The subject of a token that has been verified.
 *
 * @throws UnauthenticatedError where the claim that names the user is missing, or does not fit into a log.
 */
export function subjectOf(claims: Claims, { name, roles, prefix }: TokenIssuer): TokenSubject {
  const user = claimOf(claims, name);
  const text = typeof user === 'string' ? prefix + user : '';
  if (typeof user !== 'string' || user === '' || !NAME.test(text)) {
    throw new UnauthenticatedError(
      'token-claims',
      `expected a token with a claim "${name}" of printable characters without spaces, at most 200`,
    );
  }
  const groups = textsIn(claimOf(claims, roles)).map((group) => `group:${prefix}${group}`);
  return { name: `user:${text}`, groups };
}

/** A claim by its name, else by the path that the name is: `realm_access.roles`. */
function claimOf(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split('.').reduce<unknown>((value, part) => {
    const isInside = typeof value === 'object' && value !== null && Object.hasOwn(value, part);
    return isInside ? (value as Claims)[part] : undefined;
  }, claims);
}

/** A list of texts, or texts with spaces between them, as of OAuth's `scope`. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(' ').filter((text) => text !== '');
  if (!Array.isArray(value)) return [];
  return value.filter((each): each is string => typeof each === 'string');
}
