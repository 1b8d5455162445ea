import { LATEST } from '../config/model-section.ts';
import type { RouteBasis } from '../core/adoption.ts';
import { ALL_BP, type Route, type Share } from '../core/route.ts';
import { compareVersions, newestOf } from '../core/version.ts';
import type { Catalog } from './catalog.ts';
import type { CatalogEntry } from './catalog-entry.ts';

/** The route of every model of which a version can be served. What the ledger knows of a model goes before this. */
export function initialRoutes(catalog: Catalog): readonly Route[] {
  return catalog
    .entries()
    .flatMap((entry) => (entry.packages.size > 0 ? [initialRoute(entry)] : []));
}

/** A model's configured route; by default, all traffic to the newest version of the model. */
export function initialRoute(entry: CatalogEntry): Route {
  const { model, settings } = entry;
  const written = settings.route;
  const newest = newestOffered(entry);
  const meant = (version: string): string => (version === LATEST ? newest : version);
  const stable = meant(written?.stable ?? LATEST);
  const weights = new Map<string, number>();
  for (const { version, weightBp } of written?.split ?? [{ version: stable, weightBp: ALL_BP }])
    weights.set(meant(version), (weights.get(meant(version)) ?? 0) + weightBp);
  const mirror = written?.mirror;
  return {
    model,
    revision: 0,
    stable,
    shares: [...weights].map(
      ([version, weightBp]): Share => ({
        arm: version === stable ? 'stable' : 'other',
        version,
        weightBp,
      }),
    ),
    // The model's name alone, so that a restart sends every unit where it went before.
    salt: `route/${model}`,
    rules: written?.rules ?? [],
    aliases: {},
    mirror: mirror && { ...mirror, version: meant(mirror.version) },
  };
}

/** What that route rests on. */
export function basisOf({ settings }: Pick<CatalogEntry, 'settings'>): RouteBasis {
  if (settings.follows) return 'newest';
  return settings.route === undefined ? 'nothing' : 'written';
}

/** Names that are no numbers are never the newest: one of them is taken only where there is nothing else. */
function newestOffered({ settings: { versions: policy }, packages }: CatalogEntry): string {
  const versions = [...packages.keys()];
  const listed = policy.kind === 'specific' ? policy.versions : versions;
  const offered = versions.filter((version) => listed.includes(version));
  return (
    newestOf(offered) ?? newestOf(versions) ?? [...versions].sort(compareVersions).at(-1) ?? ''
  );
}
