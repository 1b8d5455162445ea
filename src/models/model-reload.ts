import { isDeepStrictEqual } from 'node:util';
import type { ModelConfig } from '../config/model-section.ts';
import type { ModelReconfiguration, RouteAsked } from '../core/reconfiguration.ts';
import { type CatalogEntry, changedVersions } from './catalog-entry.ts';
import type { Deployments } from './deployments.ts';
import { initialRoute } from './initial-routes.ts';

/** A model as it is run now and as it is to be run: the same packages, other settings. */
export type ModelReload = { readonly before: CatalogEntry; readonly after: CatalogEntry };

export type ModelReloadOptions = {
  readonly deployments: Pick<Deployments, 'change'>;
  /** The repository's folder: packages from elsewhere are a caller's own. */
  readonly repository: string;
};

/** What the changed section of a served model asks of the controller. */
export function modelReconfiguration(
  reload: ModelReload,
  { deployments, repository }: ModelReloadOptions,
): ModelReconfiguration {
  const { before, after } = reload;
  const { model, packages } = after;
  const { rules, aliases } = initialRoute(after);
  const changed = changedVersions(before, after);
  const isOfPolicy = !isDeepStrictEqual(before.settings.versions, after.settings.versions);
  return {
    model,
    rules,
    aliases,
    asked: askedOf(reload, after.root !== repository),
    trialKeys: trialKeysOf(before.settings, after.settings),
    changed,
    versions: new Set(packages.keys()),
    needsHosts: changed.size > 0 || isOfPolicy,
    ...deployments.change(model, { entry: after }),
  };
}

/** The route as the controller owns it; rules and where a unit's name stands are the configuration's. */
function askedOf({ before, after }: ModelReload, isBrought: boolean): RouteAsked | undefined {
  const [was, is] = [before.settings, after.settings];
  const isSame = isDeepStrictEqual(splitOf(was), splitOf(is)) && was.follows === is.follows;
  if (isSame) return undefined;
  const { model, stable, shares, mirror } = initialRoute(after);
  const setting = { model, stable, shares, mirror };
  if (is.follows) return { kind: 'follow', setting };
  if (is.route !== undefined) return { kind: isBrought ? 'brought' : 'set', setting };
  return isBrought ? undefined : { kind: 'keep' };
}

function splitOf({ route }: ModelConfig) {
  return route && { stable: route.stable, split: route.split, mirror: route.mirror };
}

/** A trial draws its units by the sticky header and its slices by attributes, from traffic that no other key moves. */
function trialKeysOf(was: ModelConfig, is: ModelConfig): readonly string[] {
  const keys = [
    ['route', [was.route, was.routing.sticky], [is.route, is.routing.sticky]],
    ['attributes', was.routing.attributes, is.routing.attributes],
    ['versions', was.follows, is.follows],
  ] as const;
  return keys.flatMap(([key, before, after]) => (isDeepStrictEqual(before, after) ? [] : [key]));
}
