import { ALL_BP, type Route, type Share } from '../core/route.ts';
import { compareVersions, type VersionPolicy } from '../core/version.ts';
import type { Catalog } from './catalog.ts';
import type { CatalogEntry } from './catalog-entry.ts';

/** The route of every model of which a version can be served. What the ledger knows of a model goes before this. */
export function initialRoutes(catalog: Catalog): readonly Route[] {
  return catalog
    .entries()
    .flatMap((entry) => (entry.packages.size > 0 ? [initialRoute(entry)] : []));
}

/** A model's route as it is configured: a model that says nothing sends everybody to the newest version that it offers. */
export function initialRoute({ model, settings, packages }: CatalogEntry): Route {
  const written = settings.route;
  const stable = written?.stable ?? newest(settings.versions, [...packages.keys()]);
  const shares = written?.split.map(({ version, weightBp }): Share => {
    return { arm: version === stable ? 'stable' : 'other', version, weightBp };
  });
  return {
    model,
    revision: 0,
    stable,
    shares: shares ?? [{ arm: 'stable', version: stable, weightBp: ALL_BP }],
    // The model's name alone, so that a restart sends every unit where it went before.
    salt: `route/${model}`,
    rules: written?.rules ?? [],
    aliases: {},
    mirror: written?.mirror,
  };
}

function newest(policy: VersionPolicy, versions: readonly string[]): string {
  const listed = policy.kind === 'specific' ? policy.versions : versions;
  const offered = versions.filter((version) => listed.includes(version));
  return [...(offered.length > 0 ? offered : versions)].sort(compareVersions).at(-1) ?? '';
}
