import { LATEST } from '../config/model-section.ts';
import type { Config } from '../config/schema.ts';
import { type Route, type RouteView, versionsLedTo } from '../core/route.ts';
import type { RouteOwner } from './route-owner.ts';

/** Words for a version that are no folder's name, so that a link called `latest` is no version of its own. */
const ALIASES: ReadonlySet<string> = new Set([LATEST, 'stable', 'candidate']);

export function isAlias(version: string): boolean {
  return ALIASES.has(version);
}

/** The versions of a model that the configuration names: they are versions under any folder name. */
export function versionsNamedIn({ models }: Config, model: string): ReadonlySet<string> {
  const section = Object.hasOwn(models, model) ? models[model] : undefined;
  const { route, versions } = section ?? {};
  return versionNames([
    route?.stable,
    ...(route?.split ?? []).map(({ version }) => version),
    ...(route?.rules ?? []).map(({ version }) => version),
    route?.mirror?.version,
    ...(versions?.kind === 'specific' ? versions.versions : []),
  ]);
}

export type NamedVersionsOptions = {
  readonly config: Config;
  readonly routes: Pick<RouteView, 'read'>;
  readonly controller: Pick<RouteOwner, 'recordedVersions'>;
};

/** All versions of a model that are referred to: by the configuration, its route or the ledger. */
export function namedVersions({ config, routes, controller }: NamedVersionsOptions) {
  return (model: string): readonly string[] => {
    const route = routes.read(model);
    const routed = route === undefined ? [] : versionsNamedBy(route);
    return [...versionsNamedIn(config, model), ...routed, ...controller.recordedVersions(model)];
  };
}

/** The versions that a route leads to, its rules and aliases included. */
export function versionsNamedBy(route: Route): ReadonlySet<string> {
  const ruled = route.rules.map(({ version }) => version);
  return versionNames([...versionsLedTo(route), ...ruled, ...Object.values(route.aliases)]);
}

function versionNames(names: readonly (string | undefined)[]): ReadonlySet<string> {
  return new Set(names.filter((name): name is string => name !== undefined && !isAlias(name)));
}
