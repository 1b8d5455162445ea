import type * as z from 'zod';
import { ServeError } from '../core/errors.ts';
import { formatPath, type Issue, issuesOf } from './issues.ts';

/**
 * What a request says, as its schema reads it. `what` names the whole in the message: `the body`.
 *
 * @throws ServeError `invalid_input` that names every problem with its place, what was expected and what was found.
 */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalidInput(issuesOf(result.error), what);
}

/** All problems in one error: `steps.0: expected ...; slices: expected ...`. */
export function invalidInput(
  problems: readonly Pick<Issue, 'path' | 'message'>[],
  what: string,
): ServeError {
  const lines = problems.map(
    ({ path, message }) => `${path.length > 0 ? formatPath(path) : what}: ${message}`,
  );
  return new ServeError('invalid_input', lines.join('; '));
}
