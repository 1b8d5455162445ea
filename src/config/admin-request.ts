import * as z from 'zod';
import type { LabelTarget } from '../core/label-source.ts';
import type { MirrorSetting, Share } from '../core/route.ts';
import { checked } from './checked.ts';
import { expected, section } from './expected.ts';
import { duration, toBp, version } from './quantities.ts';
import { mirrorSchema, splitSchema } from './traffic.ts';

const REASON_LENGTH_MAX = 1_000;

const aReason = expected(`a reason of 1 to ${REASON_LENGTH_MAX} characters`);
const reason = z
  .string({ error: aReason })
  .trim()
  .min(1, { error: aReason })
  .max(REASON_LENGTH_MAX, { error: aReason });

/** What a `PUT` of a route asks for, in the units of the inside. */
export type RouteRequest = {
  readonly revision: number;
  readonly stable: string;
  readonly shares: readonly Share[];
  readonly mirror: MirrorSetting | undefined;
};

const routeSchema = section(
  {
    revision: z.int({ error: expected('the revision that was read, a whole number') }),
    stable: version,
    split: splitSchema,
    mirror: mirrorSchema.nullish(),
  },
  'a JSON object',
);

/**
 * Checks `{ revision, stable, split: { version: percent }, mirror?: { version, percentage, twin? } }`.
 *
 * @throws ServeError `invalid_input` that names every problem.
 */
export function parseRouteRequest(body: unknown): RouteRequest {
  const { revision, stable, split, mirror } = checked(routeSchema, body, 'the body');
  return { revision, stable, shares: sharesOf(split, stable), mirror: mirror ?? undefined };
}

/** A version that is not stable takes the low end of the line, so that its share may grow and keep its units. */
function sharesOf(split: Readonly<Record<string, number>>, stable: string): readonly Share[] {
  const shares = Object.entries(split).map(([name, percentage]): Share => {
    const arm = name === stable ? 'stable' : 'other';
    return { arm, version: name, weightBp: toBp(percentage) };
  });
  const isStable = (share: Share): number => (share.arm === 'stable' ? 1 : 0);
  return shares.filter((share) => share.weightBp > 0).sort((a, b) => isStable(a) - isStable(b));
}

/** What a request to reload the configuration says. */
export type ReloadConfigRequest = { readonly reason: string; readonly isDryRun: boolean };

const reloadSchema = section(
  { reason, dryRun: z.boolean({ error: expected('true or false') }).default(false) },
  'a JSON object',
);

/**
 * Checks `{ reason, dryRun? }`.
 *
 * @throws ServeError `invalid_input` that names every problem.
 */
export function parseReloadConfig(body: unknown): ReloadConfigRequest {
  const { reason: why, dryRun } = checked(reloadSchema, body, 'the body');
  return { reason: why, isDryRun: dryRun };
}

const reasonSchema = section({ reason }, 'a JSON object');

/**
 * Checks `{ reason }` of a command that a person gives.
 *
 * @throws ServeError `invalid_input` that names every problem.
 */
export function parseReason(body: unknown): string {
  return checked(reasonSchema, body, 'the body').reason;
}

const rolloutId = z
  .string({ error: expected('the id of a rollout') })
  .min(1, { error: expected('the id of a rollout') });
const undoSchema = section({ reason, rollout: rolloutId.optional() }, 'a JSON object');

/**
 * Checks `{ reason, rollout? }` of a command to undo a promotion.
 *
 * @throws ServeError `invalid_input` that names every problem.
 */
export function parseUndo(body: unknown): { readonly reason: string; readonly rolloutId?: string } {
  const { reason: why, rollout } = checked(undoSchema, body, 'the body');
  return rollout === undefined ? { reason: why } : { reason: why, rolloutId: rollout };
}

const labelSchema = section(
  {
    token: z.string({ error: expected('the feedback token of an answer') }).optional(),
    id: z
      .string({ error: expected('the id that the request had') })
      .min(1)
      .optional(),
    label: z.unknown().refine((label) => label !== undefined && label !== null, {
      error: expected('a label'),
    }),
  },
  'a JSON object',
).refine(({ token, id }) => (token === undefined) !== (id === undefined), {
  error: 'expected token or id, found neither or both',
});

/**
 * Checks `{ token, label }` or `{ id, label }`: the label of a live answer of the model.
 *
 * @throws ServeError `invalid_input` that names every problem.
 */
export function parseLabel(
  body: unknown,
  model: string,
): { readonly target: LabelTarget; readonly label: unknown } {
  const { token, id = '', label } = checked(labelSchema, body, 'the body');
  return { target: token === undefined ? { id, model } : { token }, label };
}

const extensionSchema = section({ reason, for: duration }, 'a JSON object');

/**
 * Checks `{ reason, for }` of a command to give a rollout more time; `for` in milliseconds.
 *
 * @throws ServeError `invalid_input` that names every problem.
 */
export function parseExtension(body: unknown): {
  readonly reason: string;
  readonly forMs: number;
} {
  const { reason: why, for: forMs } = checked(extensionSchema, body, 'the body');
  return { reason: why, forMs };
}

const anchorSchema = section({ reason, version }, 'a JSON object');

/**
 * Checks `{ version, reason }` of a command to make a version the anchor.
 *
 * @throws ServeError `invalid_input` that names every problem.
 */
export function parseAnchor(body: unknown): { readonly reason: string; readonly version: string } {
  const { reason: why, version: named } = checked(anchorSchema, body, 'the body');
  return { reason: why, version: named };
}

const aModel = expected('the name of a model');
const modelSchema = z.looseObject(
  { model: z.string({ error: aModel }).min(1, { error: aModel }) },
  { error: expected('a JSON object') },
);

/** The model that a request to start a rollout names, and the rest of its body, which is not checked yet. */
export function parseModel(body: unknown): {
  readonly model: string;
  readonly rest: Readonly<Record<string, unknown>>;
} {
  const { model, ...rest } = checked(modelSchema, body, 'the body');
  return { model, rest };
}

const aRate = expected('a number above 0');
const rateSchema = z.looseObject({
  requestsPerSecond: z
    .string({ error: aRate })
    .refine((text) => Number(text) > 0 && Number.isFinite(Number(text)), { error: aRate })
    .transform(Number)
    .optional(),
});

/** `?requestsPerSecond=`, which a plan is made for; undefined: not given. */
export function parseRate(query: unknown): number | undefined {
  return checked(rateSchema, query, 'the query').requestsPerSecond;
}

const PAGE_MAX = 50;
const PAGE_DEFAULT = 20;
const aLimit = expected(`a whole number from 1 to ${PAGE_MAX}`);
const pageSchema = z.looseObject({
  limit: z
    .string({ error: aLimit })
    .regex(/^\d{1,3}$/, { error: aLimit })
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= PAGE_MAX, { error: aLimit })
    .optional(),
  before: rolloutId.optional(),
});

/** `?limit=&before=`: so many rollouts, 20 by default, that follow this one in a list that is newest first. */
export function parsePage(query: unknown): {
  readonly limit: number;
  readonly before: string | undefined;
} {
  const { limit = PAGE_DEFAULT, before } = checked(pageSchema, query, 'the query');
  return { limit, before };
}

const latestSchema = z.looseObject({
  latest: z.enum(['true', 'false'], { error: expected('true or false') }).default('false'),
});

/** `?latest=true`: only the latest rollout of each model. */
export function parseLatest(query: unknown): { readonly isLatestOnly: boolean } {
  return { isLatestOnly: checked(latestSchema, query, 'the query').latest === 'true' };
}
