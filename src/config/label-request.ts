import * as z from 'zod';
import { checked } from './checked.ts';
import { expected } from './expected.ts';
import { duration } from './quantities.ts';

/** Of one request. */
const LABELS_MAX = 500;
const LABELS_DEFAULT = 20;
const LEASE_MS_DEFAULT = 10 * 60_000;
const LEASE_MS_MAX = 86_400_000;

const aLimit = expected(`a whole number from 1 to ${LABELS_MAX}`);
const aLease = expected('a duration such as 10m, of at most 24h, or 0 for none');

const nextSchema = z.looseObject({
  limit: z
    .string({ error: aLimit })
    .regex(/^\d{1,3}$/, { error: aLimit })
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= LABELS_MAX, { error: aLimit })
    .default(LABELS_DEFAULT),
  lease: z
    .union([z.literal('0').transform(() => 0), duration], { error: aLease })
    .refine((ms) => ms <= LEASE_MS_MAX, { error: aLease })
    .default(LEASE_MS_DEFAULT),
});

/**
 * `?lease=10m&limit=20`: how many wanted labels to hand out, and for how long no one else gets them, in milliseconds.
 *
 * @throws ServeError `invalid_input` that names every problem.
 */
export function parseNextLabels(query: unknown): {
  readonly limit: number;
  readonly leaseMs: number;
} {
  const { limit, lease } = checked(nextSchema, query, 'the query');
  return { limit, leaseMs: lease };
}
