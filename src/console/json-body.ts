import { messageOf, ServeError } from '../core/errors.ts';

/**
 * A body as JSON. The name `__proto__` is refused wherever it stands, as the configuration refuses it: what checks the body would pass
 * over it without a word.
 *
 * @throws ServeError `invalid_input` for what is no JSON, and for that name, with its place.
 */
export function parseJsonBody(text: string): unknown {
  const body = parse(text);
  const place = placeOfProto(body);
  if (place === undefined) return body;
  throw new ServeError('invalid_input', `${place}: expected another name, found "__proto__"`);
}

function parse(text: string): unknown {
  if (text === '') throw new ServeError('invalid_input', 'the body: expected JSON, found nothing');
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = `the body: expected JSON, found text that is none (${messageOf(error)})`;
    throw new ServeError('invalid_input', message, { cause: error });
  }
}

/** Without recursion: a body may be as deep as it is long. */
function placeOfProto(body: unknown): string | undefined {
  const left: { readonly value: unknown; readonly place: string }[] = [{ value: body, place: '' }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value, place } = next;
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, inner] of Object.entries(value)) {
      // A deep body would have places of a length that grows with each level.
      const at = place.length > PLACE_LENGTH_MAX ? place : place + (place && '.') + name;
      if (name === '__proto__') return at;
      left.push({ value: inner, place: at });
    }
  }
  return undefined;
}

const PLACE_LENGTH_MAX = 200;
