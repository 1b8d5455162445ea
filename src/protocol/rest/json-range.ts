import { ServeError } from '../../core/errors.ts';
import type { ElementSource } from './element-reader.ts';
import { BYTE } from './json-bytes.ts';

/** The numbers that a datatype holds, ends included. */
export type Range = {
  readonly min: number | bigint;
  readonly max: number | bigint;
  readonly isInteger: boolean;
};

/** The refusal of an element that its datatype does not hold. */
export function outOfRange(source: ElementSource, found: string, range: Range): ServeError {
  const kind = range.isInteger ? 'a whole number' : 'a number';
  return new ServeError(
    'invalid_input',
    `unexpected element of input '${source.name}': expected ${kind} from ${range.min} to ${range.max} for ${source.dtype}, found ${found.slice(0, 40)}`,
  );
}

/** Where the next number begins if nothing but a comma and perhaps a space stands before it; -1 otherwise. */
export function nextNumber(json: Buffer, at: number): number {
  if (json[at] !== BYTE.comma) return -1;
  const next = json[at + 1] === BYTE.space ? at + 2 : at + 1;
  const byte = json[next] ?? 0;
  return (byte >= BYTE.zero && byte <= BYTE.nine) || byte === BYTE.minus ? next : -1;
}
