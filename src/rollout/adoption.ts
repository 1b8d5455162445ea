import type { Rollout } from '../core/rollout.ts';
import type { Route } from '../core/route.ts';
import { type Refusal, refused } from './command.ts';

/** A model whose packages have been read, for the first time or anew. */
export type Adoption = {
  /** As it is configured: for a model of which nothing is on record, or whose recorded versions are gone. */
  readonly configured: Route;
  /** The versions that there now are. */
  readonly versions: ReadonlySet<string>;
  /** Those of them that are not what they were, and those that are gone. */
  readonly changed: ReadonlySet<string>;
  /** Makes ready what a route leads to, beside what is served. Rejects with the reason, with everything as it was. */
  readonly prepare: (route: Route) => Promise<void>;
  /** Puts the packages in the place of the old ones. Called right before the route is written; must not throw. */
  readonly commit: () => void;
};

/** A trial judges two packages: while it runs, neither may change under it. Undefined: it does not stand in the way. */
export function refusalOfAdoption(
  { id, spec }: Rollout,
  { changed }: Pick<Adoption, 'changed'>,
): Refusal | undefined {
  const touched = [spec.stable, spec.candidate].find((version) => changed.has(version));
  if (touched === undefined) return undefined;
  return refused(
    'rollout_running',
    `rollout ${id} is running and version ${touched} is part of it: promote or abort it first`,
  );
}

/** The route to load: what is on record, rules and aliases as configured, unless a version that it leads to is gone. */
export function routeToLoad(
  { configured, versions }: Pick<Adoption, 'configured' | 'versions'>,
  known: Route | undefined,
): Route {
  if (known === undefined || !isWhole(known, versions)) return configured;
  const { rules, aliases } = configured;
  return { ...known, rules, aliases };
}

function isWhole({ stable, shares, mirror }: Route, versions: ReadonlySet<string>): boolean {
  const led = [stable, ...shares.map((share) => share.version)];
  if (mirror !== undefined) led.push(mirror.version);
  return led.every((version) => versions.has(version));
}
