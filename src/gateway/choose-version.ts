import assert from 'node:assert/strict';

import { hasRole, type Role } from '../core/caller.ts';
import { ServeError } from '../core/errors.ts';
import { bucketBp } from '../core/hash.ts';
import type { InferRequest } from '../core/infer.ts';
import type { RepositoryVersion } from '../core/repository-version.ts';
import type { Arm, Assignment, Exposure, Route, Share } from '../core/route.ts';
import { resolveVersion } from './version-names.ts';

/** What of a request decides where it goes. */
export type Assignable = Pick<
  InferRequest,
  'unit' | 'version' | 'attributes' | 'grants' | 'pinRole'
>;

/**
 * Where one request goes. A version that the caller names in the request wins over rules, and rules win over the split:
 * who asks for version 2 by name must never be answered by another. Pure: the same route and the same unit always give
 * the same assignment.
 *
 * The split is a line of 10,000 basis points: the candidate from the bottom, then stable, then others, and control at the
 * top. Stable alone gives way while candidate and control grow, so a unit that either of them has, stays with it.
 *
 * A caller without the role for it may name stable only, and meets no rule: who could choose a version would choose what a rollout is
 * judged by.
 *
 * @param versions the versions that the repository holds; needed where the request names one.
 * @throws ServeError `version_not_found` where the request names a version or an alias that the model does not have, `forbidden` where
 * its caller may not name it, whether there is one or not.
 */
export function chooseVersion(
  route: Route,
  request: Assignable,
  versions: readonly RepositoryVersion[],
): Assignment {
  if (request.version !== undefined) {
    const version = resolveVersion(route, request.version, versions);
    if (version !== route.stable && !hasRoleOn(route, request, request.pinRole))
      throw mayNotPin(route, request.version);
    if (version === undefined) throw versionNotFound(route, request.version, versions);
    return settled(route, version, 'pin');
  }
  for (const rule of route.rules) {
    if (
      request.attributes[rule.attribute] === rule.equals &&
      hasRoleOn(route, request, rule.role)
    ) {
      const version = resolveVersion(route, rule.version, versions) ?? rule.version;
      return settled(route, version, 'rule');
    }
  }
  return drawn(route, request.unit);
}

/** True where the caller has the role on the model, and where nothing is known of callers. */
function hasRoleOn(
  { model }: Route,
  { grants }: Assignable,
  role: Role | undefined = 'operate',
): boolean {
  return grants === undefined || hasRole({ name: '', grants }, role, model);
}

function mayNotPin({ model, stable }: Route, name: string): ServeError {
  return new ServeError(
    'forbidden',
    `expected a request for model '${model}' without a version, or for its stable one ('${stable}'), found version '${name.slice(0, 80)}': naming another needs a role (models.${model}.route.pin)`,
  );
}

/** The refusal of a version that the model does not have, with those that it has. */
export function versionNotFound(
  route: Route,
  name: string,
  versions: readonly RepositoryVersion[],
): ServeError {
  const known = versions.map((state) => `'${state.version}'`).join(', ') || 'none';
  const aliases = ['stable', 'candidate', 'latest', ...Object.keys(route.aliases)].join(', ');
  return new ServeError(
    'version_not_found',
    `Request for unknown model: '${route.model}' version '${name}' is not found. Expected one of the versions ${known} or an alias (${aliases}), found '${name}'`,
  );
}

const PLACE_ON_LINE = { candidate: 0, stable: 1, other: 2, control: 3 } as const satisfies Record<
  Arm,
  number
>;

/** A share of the line, up to a bucket, and what a request that falls on it is assigned. */
type Stretch = { readonly endBp: number; readonly assignment: Assignment };

/** The line of a route, worked out once per route. */
const lines = new WeakMap<Route, readonly Stretch[]>();

function lineOf(route: Route): readonly Stretch[] {
  let line = lines.get(route);
  if (line === undefined) {
    line = stretchesOf(route);
    lines.set(route, line);
  }
  return line;
}

function stretchesOf(route: Route): readonly Stretch[] {
  const shares = route.shares
    .filter((share) => share.weightBp > 0)
    .sort((a, b) => PLACE_ON_LINE[a.arm] - PLACE_ON_LINE[b.arm]);
  let endBp = 0;
  return shares.map((share) => {
    endBp += share.weightBp;
    return { endBp, assignment: assignmentOf(route, share, shares) };
  });
}

function drawn(route: Route, unit: string): Assignment {
  const line = lineOf(route);
  // One share takes all: no need to hash.
  const bucket = line.length === 1 ? 0 : bucketBp(route.salt, unit);
  for (const { endBp, assignment } of line) if (bucket < endBp) return assignment;
  assert.fail(`the shares of '${route.model}' do not cover bucket ${bucket}`);
}

function assignmentOf(route: Route, share: Share, shares: readonly Share[]): Assignment {
  const reference = referenceOf(shares);
  const side = sideOf(share.arm, reference?.arm);
  return {
    version: share.version,
    arm: share.arm,
    by: 'split',
    routeRevision: route.revision,
    exposure: side === undefined ? undefined : exposureOf(shares, reference),
    side,
  };
}

function settled(route: Route, version: string, by: 'rule' | 'pin'): Assignment {
  return {
    version,
    arm: armOf(route, version),
    by,
    routeRevision: route.revision,
    exposure: undefined,
    side: undefined,
  };
}

/** The arm that serves a version by name: never control, which exists to be compared and for nothing else. */
function armOf(route: Route, version: string): Arm {
  if (version === route.stable) return 'stable';
  const share = route.shares.find((each) => each.version === version && each.arm !== 'control');
  return share?.arm ?? 'other';
}

/** What the candidate is compared with: control where it has a share, else stable; undefined while nothing is on trial. */
function referenceOf(shares: readonly Share[]): Share | undefined {
  if (!shares.some((share) => share.arm === 'candidate')) return undefined;
  return (
    shares.find((share) => share.arm === 'control') ??
    shares.find((share) => share.arm === 'stable')
  );
}

function sideOf(arm: Arm, reference: Arm | undefined): Assignment['side'] {
  if (reference === undefined) return undefined;
  if (arm === 'candidate') return 'candidate';
  return arm === reference ? 'reference' : undefined;
}

function exposureOf(shares: readonly Share[], reference: Share | undefined): Exposure | undefined {
  const candidate = shares.find((share) => share.arm === 'candidate');
  if (candidate === undefined || reference === undefined) return undefined;
  return { candidateBp: candidate.weightBp, referenceBp: reference.weightBp };
}
