import type { RepositoryVersion } from '../core/repository-version.ts';
import type { Route } from '../core/route.ts';
import { newestOf } from '../core/version.ts';

/**
 * The version that a name means: a version of exactly that name, else `stable`, `candidate` (on trial, or mirrored) or
 * `latest` (the greatest number that is ready, else the greatest), else one of the route's own aliases. Undefined: none.
 */
export function resolveVersion(
  route: Route,
  name: string,
  versions: readonly RepositoryVersion[],
): string | undefined {
  if (versions.some((each) => each.version === name)) return name;
  switch (name) {
    case 'stable':
      return route.stable;
    case 'candidate':
      return candidateOf(route);
    case 'latest':
      return latestOf(versions);
    default:
      return Object.hasOwn(route.aliases, name) ? route.aliases[name] : undefined;
  }
}

function candidateOf(route: Route): string | undefined {
  const share = route.shares.find((each) => each.arm === 'candidate');
  return share?.version ?? route.mirror?.version;
}

function latestOf(versions: readonly RepositoryVersion[]): string | undefined {
  const ready = versions.filter((each) => each.state.kind === 'ready');
  const numbers = (some: readonly RepositoryVersion[]) =>
    newestOf(some.map((each) => each.version));
  return numbers(ready) ?? numbers(versions);
}
