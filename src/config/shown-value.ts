import { isRecord } from './merge.ts';

const TEXT_LENGTH_MAX = 120;

const SECRET = /secret|passw|token|credential|api-?key|private-?key|authorization|cookie/i;

/** The part of an address that says who connects. */
const USER_INFO = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;

const HIDDEN = '***';

/** True for a key whose value must not be printed: `server.auth.token`, or a rule on the header `x-api-key`. */
function isSecret(path: readonly string[]): boolean {
  return path.some((segment) => SECRET.test(segment));
}

/** A value of the configuration in one line, for logs and answers: shortened, escaped, and `***` where it may be a secret. */
export function shownValue(path: readonly string[], value: unknown): string {
  const text = JSON.stringify(withoutSecrets(path, value)) ?? 'nothing';
  const plain = /^"[\w./:%@*+-]+"$/.test(text) ? text.slice(1, -1) : text;
  const escaped = plain.replace(UNPRINTABLE, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return escaped.length > TEXT_LENGTH_MAX ? `${escaped.slice(0, TEXT_LENGTH_MAX - 3)}...` : escaped;
}

/** What JSON leaves as it is and a terminal may obey: delete, the second set of control characters, changes of direction. */
const UNPRINTABLE = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function withoutSecrets(path: readonly string[], value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(path, item));
  if (isRecord(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, withoutSecrets([...path, name], inner)]),
    );
  }
  if (isSecret(path)) return HIDDEN;
  if (path[0] === 'webhooks' && path.at(-1) === 'url') return withoutPath(value);
  return typeof value === 'string' ? value.replace(USER_INFO, `$1${HIDDEN}@`) : value;
}

/** Who knows the path of some webhooks may call them. */
function withoutPath(value: unknown): unknown {
  return String(value).replace(/^(https?:\/\/)(?:[^/?#]*@)?([^/?#]*).*$/i, `$1$2/${HIDDEN}`);
}
