import { type Config, modelConfig } from '../config/schema.ts';
import { ALL_BP, type Route, type Share } from '../core/route.ts';
import { compareVersions } from '../core/version.ts';
import type { Catalog } from './catalog.ts';

/**
 * The route of every model as the configuration has it: a model that says nothing sends everybody to its newest version.
 * What the ledger knows of a model goes before this.
 */
export function initialRoutes(config: Config, catalog: Catalog): readonly Route[] {
  return catalog.models().map((model) => {
    const versions = catalog.versions(model).map(({ version }) => version);
    return initialRoute(config, model, versions);
  });
}

function initialRoute(config: Config, model: string, versions: readonly string[]): Route {
  const written = modelConfig(config, model).route;
  const newest = [...versions].sort(compareVersions).at(-1) ?? '';
  const stable = written?.stable ?? newest;
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
