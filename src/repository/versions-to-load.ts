import { compareVersions, isVersionNumber, type VersionPolicy } from '../core/version.ts';

export type VersionChoice = {
  readonly policy: VersionPolicy;
  /** The versions that the repository holds. */
  readonly found: readonly string[];
  /** Those that the route leads to: they are loaded regardless of the policy. */
  readonly routed: readonly string[];
};

/**
 * The versions of a model that are loaded, in their order. `latest` with a count of 1 adds nothing: where the route leads elsewhere
 * than to the newest version, such as after a candidate was refused, the newest is not wanted. Names that are no numbers are
 * never among the newest. Versions that are not there are left out.
 */
export function versionsToLoad({ policy, found, routed }: VersionChoice): readonly string[] {
  const newestFirst = [...found].sort(compareVersions).reverse();
  const wanted = new Set([...routed, ...chosenBy(policy, newestFirst)]);
  return newestFirst.filter((version) => wanted.has(version)).reverse();
}

function chosenBy(policy: VersionPolicy, newestFirst: readonly string[]): readonly string[] {
  switch (policy.kind) {
    case 'all':
      return newestFirst;
    case 'specific':
      return policy.versions;
    case 'latest':
      return policy.count > 1 ? newestFirst.filter(isVersionNumber).slice(0, policy.count) : [];
  }
}
