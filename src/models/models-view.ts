import { joiningText } from '../core/joining.ts';
import { providerText } from '../core/provider.ts';
import type { RepositoryVersion } from '../core/repository-version.ts';
import type { Route, RouteView } from '../core/route.ts';
import { compareVersions } from '../core/version.ts';
import type { Catalog } from './catalog.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import type { Deployments } from './deployments.ts';
import type { StartingModels } from './starting-models.ts';

/** What a version does at present, and its part of the traffic in basis points: of a shadow, the part that is copied to it. */
export type VersionRole = {
  readonly role: 'stable' | 'candidate' | 'control' | 'other' | 'shadow' | 'rule';
  /** Absent for a rule, which has no fixed part. */
  readonly weightBp?: number;
};

/** One version as its operator sees it. */
export type VersionView = {
  readonly version: string;
  /** As in the state of a version, or `refused` for one that cannot be read. Of one that runs only in the shadow, that of its shadow host. */
  readonly state: string;
  readonly roles: readonly VersionRole[];
  /** Why it is refused or failed, or what has changed since it was read. */
  readonly reason?: string;
  /** Absent for a version that cannot be read, as is all that follows. */
  readonly digest?: string;
  readonly bytes?: number;
  /** Whether requests share runs, and on what ground; absent while no live host runs the version. */
  readonly batch?: string;
  /** The execution provider that runs it, and why it is not the one asked for; absent while no live host runs the version. */
  readonly provider?: string;
  readonly task?: string | undefined;
  readonly licence?: string | undefined;
};

export type ModelView = {
  readonly model: string;
  /** Absent: no traffic is routed to the model. */
  readonly stable?: string;
  /** What it waits for that has not been taken up since the gateway began. */
  readonly starting?: string;
  /** Whether the newest version gets the traffic by itself. */
  readonly followsNewest: boolean;
  /** What concerns all versions: why none can be read, or what has changed since. */
  readonly reason?: string;
  /** Folders whose names make them no versions, and that nothing names. */
  readonly leftAside: readonly string[];
  readonly versions: readonly VersionView[];
};

export type ModelsViewOptions = {
  readonly catalog: Catalog;
  readonly routes: Pick<RouteView, 'read'>;
  readonly deployments: Pick<Deployments, 'versions' | 'shadowState'>;
  readonly starting: Pick<StartingModels, 'whyStarting' | 'list'>;
};

/** All models of the repository, by name, those included of which nothing can be served, or nothing has been read yet. */
export function modelsView(options: ModelsViewOptions): readonly ModelView[] {
  const { catalog, routes, deployments, starting } = options;
  const known = catalog.entries().map((entry) => {
    const { model } = entry;
    const why = starting.whyStarting(model);
    return modelView(entry, { route: routes.read(model), why }, deployments);
  });
  const unread = starting
    .list()
    .filter(({ model }) => catalog.entry(model) === undefined)
    .map(({ model, why }) => ({ ...NOTHING_READ, model, starting: why }));
  return [...known, ...unread].sort((a, b) => (a.model < b.model ? -1 : 1));
}

const NOTHING_READ = { followsNewest: false, leftAside: [], versions: [] } as const;

type Standing = { readonly route: Route | undefined; readonly why: string | undefined };

function modelView(
  entry: CatalogEntry,
  { route, why: starting }: Standing,
  deployments: ModelsViewOptions['deployments'],
): ModelView {
  const { model, settings, aside } = entry;
  const unrouted = starting === undefined ? whyUnrouted(entry, route) : undefined;
  const reason = reasonOf(entry, undefined) ?? unrouted;
  const unread = entry.problems.flatMap(({ version }) =>
    version === undefined || entry.packages.has(version) ? [] : [version],
  );
  const versions = [
    ...deployments
      .versions(model)
      .map((state) => versionView(entry, route, inSight(model, state, deployments))),
    ...unread.map((version) => ({
      version,
      state: 'refused',
      roles: rolesOf(route, version),
      reason: reasonOf(entry, version) ?? '',
    })),
  ];
  return {
    model,
    ...(route && { stable: route.stable }),
    ...(starting !== undefined && { starting }),
    followsNewest: settings.follows,
    ...(reason !== undefined && { reason }),
    leftAside: aside,
    versions: versions.sort((a, b) => compareVersions(a.version, b.version)),
  };
}

type Shown = Pick<RepositoryVersion, 'version' | 'state' | 'joining' | 'provider'>;

/** A version that no live request reaches may still run, in the shadow. */
function inSight(
  model: string,
  { version, state, joining, provider }: RepositoryVersion,
  deployments: ModelsViewOptions['deployments'],
): Shown {
  const shadow =
    state.kind === 'unloaded' ? deployments.shadowState({ model, version }) : undefined;
  return { version, state: shadow ?? state, joining, provider };
}

function versionView(
  entry: CatalogEntry,
  route: Route | undefined,
  { version, state, joining, provider }: Shown,
): VersionView {
  const found = entry.packages.get(version);
  const fault = state.kind === 'failed' ? state.reason : undefined;
  const reason = fault ?? reasonOf(entry, version);
  return {
    version,
    state: state.kind,
    roles: rolesOf(route, version),
    ...(reason !== undefined && { reason }),
    ...(joining && { batch: joiningText(joining) }),
    ...(provider && { provider: providerText(provider) }),
    ...(found && {
      digest: found.digest,
      bytes: found.bytes,
      task: found.task,
      licence: found.licence,
    }),
  };
}

function reasonOf(entry: CatalogEntry, version: string | undefined): string | undefined {
  const { model, changes, problems } = entry;
  const change = changes.find((each) => each.version === version);
  if (change !== undefined)
    return `${change.reason}; to take them up: understudy models reload ${model}`;
  return problems.find((each) => each.version === version)?.reason;
}

function whyUnrouted({ model, packages }: CatalogEntry, route: Route | undefined) {
  if (route !== undefined || packages.size === 0) return undefined;
  return `no traffic is routed to it; to serve it: understudy models reload ${model}`;
}

function rolesOf(route: Route | undefined, version: string): readonly VersionRole[] {
  if (route === undefined) return [];
  const roles: VersionRole[] = route.shares
    .filter((share) => share.version === version && share.weightBp > 0)
    .map(({ arm, weightBp }) => ({ role: arm, weightBp }));
  if (route.stable === version && !roles.some(({ role }) => role === 'stable'))
    roles.push({ role: 'stable', weightBp: 0 });
  if (route.mirror?.version === version)
    roles.push({ role: 'shadow', weightBp: route.mirror.sampleBp });
  if (route.rules.some((rule) => rule.version === version)) roles.push({ role: 'rule' });
  return roles;
}
