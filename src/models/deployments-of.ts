import type { Route } from '../core/route.ts';
import { versionsToLoad } from '../repository/versions-to-load.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { type Deployment, type DeploymentRole, deploymentKey, roleOf } from './deployment.ts';

export type RouteDeployments = {
  /** One for each share, stable, and each target of rules and aliases. */
  readonly required: readonly Deployment[];
  /** What the model's policy keeps loaded for those who name a version. */
  readonly resident: readonly Deployment[];
};

/** The deployments that a route needs, of the builds of what was read of the model. */
export function deploymentsOf(route: Route, entry: CatalogEntry | undefined): RouteDeployments {
  const { model } = route;
  const deployment = (version: string, role: DeploymentRole): Deployment => ({
    target: { model, version },
    role,
    build: entry?.builds.get(version) ?? '',
    entry,
  });
  const all: Deployment[] = [
    deployment(route.stable, 'main'),
    ...route.shares.map((share) => deployment(share.version, roleOf(share.arm))),
    ...route.rules.map((rule) => deployment(rule.version, 'main')),
    ...Object.values(route.aliases).map((version) => deployment(version, 'main')),
  ];
  const byKey = new Map(all.map((each) => [deploymentKey(each), each]));
  const required = withoutSpares([...byKey.values()]);
  return {
    required,
    resident: residentOf(entry, required).map((version) => deployment(version, 'main')),
  };
}

function residentOf(
  entry: CatalogEntry | undefined,
  required: readonly Deployment[],
): readonly string[] {
  if (entry === undefined) return [];
  const policy = entry.settings.versions;
  const deployed = new Set(required.map(({ target }) => target.version));
  const found = [...entry.packages.keys()];
  const all = versionsToLoad({ policy, found, routed: [...deployed] });
  return all.filter((version) => !deployed.has(version));
}

/** A version that is at work as candidate or control answers its rules from there: no second copy for them. */
function withoutSpares(all: readonly Deployment[]): readonly Deployment[] {
  const stable = all[0]?.target.version;
  const elsewhere = new Set(
    all.filter(({ role }) => role !== 'main').map(({ target }) => target.version),
  );
  return all.filter(
    ({ role, target }) =>
      role !== 'main' || target.version === stable || !elsewhere.has(target.version),
  );
}
