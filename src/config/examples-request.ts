import * as z from 'zod';
import { checked } from './checked.ts';
import { expected } from './expected.ts';

const LIMIT_MAX = 500;
const LIMIT_DEFAULT = 20;
/** As far as keys of units go. */
const UNIT_LENGTH_MAX = 1_024;

/** What a list of examples is to show. */
export type ExamplesQuery = {
  /** Its id, or `latest`; undefined: of all that there are examples of. */
  readonly rollout: string | undefined;
  readonly slice: Readonly<Record<string, string>> | undefined;
  readonly order: 'largest' | 'random' | 'newest';
  readonly limit: number;
};

const aLimit = expected(`a whole number from 1 to ${LIMIT_MAX}`);
const aSlice = expected('attributes and values such as tone=dark,device=phone');

const querySchema = z.looseObject({
  rollout: z
    .string({ error: expected('the id of a rollout, or latest') })
    .min(1)
    .optional(),
  slice: z
    .string({ error: aSlice })
    .regex(/^[^,=]{1,100}=[^,=]{1,100}(,[^,=]{1,100}=[^,=]{1,100}){0,15}$/, { error: aSlice })
    .transform((text) => Object.fromEntries(text.split(',').map((each) => each.split('='))))
    .optional(),
  order: z
    .enum(['largest', 'random', 'newest'], { error: expected('largest, random or newest') })
    .default('largest'),
  limit: z
    .string({ error: aLimit })
    .regex(/^\d{1,3}$/, { error: aLimit })
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= LIMIT_MAX, { error: aLimit })
    .default(LIMIT_DEFAULT),
});

/**
 * Checks `?rollout=&slice=&order=&limit=`.
 *
 * @throws ServeError `invalid_input` that names every problem.
 */
export function parseExamplesQuery(query: unknown): ExamplesQuery {
  const { rollout, slice, order, limit } = checked(querySchema, query, 'the query');
  return { rollout, slice, order, limit };
}

const aUnit = expected(`a unit of 1 to ${UNIT_LENGTH_MAX} characters`);
const unitSchema = z.looseObject({
  unit: z
    .string({ error: aUnit })
    .min(1, { error: expected('a unit') })
    .max(UNIT_LENGTH_MAX, { error: `expected at most ${UNIT_LENGTH_MAX} characters of a unit` }),
});

/**
 * Checks `?unit=`, whose examples are to be deleted. What was found is not said: it may name a person.
 *
 * @throws ServeError `invalid_input`.
 */
export function parseUnit(query: unknown): string {
  return checked(unitSchema, query, 'the query').unit;
}
