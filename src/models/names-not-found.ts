import { LATEST } from '../config/model-section.ts';
import type { Config } from '../config/schema.ts';
import type { Route } from '../core/route.ts';
import type { Catalog } from './catalog.ts';
import { isAlias } from './named-versions.ts';

/**
 * What the configuration names and the repository lacks, a sentence each. Not fatal: the ledger's route wins over the
 * configured one, and the other models can be served all the same.
 */
export function namesNotFound(config: Config, catalog: Catalog): readonly string[] {
  return Object.entries(config.models).flatMap(([model, { route }]) => {
    const found = catalog.versions(model).map(({ version }) => version);
    if (found.length === 0)
      return [notFound(`models.${model}`, 'a model of the repository', catalog.models(), model)];
    const meant = (version: string | undefined) => (version === LATEST ? undefined : version);
    const named = Object.entries({
      stable: [meant(route?.stable)],
      split: route?.split.map(({ version }) => meant(version)),
      rules: route?.rules.map(({ version }) => (isAlias(version) ? undefined : version)),
      mirror: [meant(route?.mirror?.version)],
    });
    return named.flatMap(([key, versions]) =>
      missing(versions ?? [], found).map((version) =>
        notFound(`models.${model}.route.${key}`, 'a version of the repository', found, version),
      ),
    );
  });
}

/**
 * What the routes lead to and the repository lacks, a sentence each: the ledger remembers versions that have been deleted since.
 * What the configuration names too, `namesNotFound` reports.
 */
export function recordedNotFound(
  config: Config,
  catalog: Catalog,
  routes: readonly Route[],
): readonly string[] {
  return routes.flatMap(({ model, stable, shares, mirror }) => {
    const found = catalog.versions(model).map(({ version }) => version);
    const written = config.models[model]?.route;
    const named = [written?.stable, written?.mirror?.version];
    named.push(...(written?.split ?? []).map(({ version }) => version));
    const led = new Set([stable, ...shares.map(({ version }) => version), mirror?.version]);
    return missing([...led], found)
      .filter((version) => !named.includes(version))
      .map((version) =>
        notFound(`route of ${model}`, 'a version of the repository', found, version),
      );
  });
}

function missing(
  versions: readonly (string | undefined)[],
  found: readonly string[],
): readonly string[] {
  return versions.filter(
    (version): version is string => version !== undefined && !found.includes(version),
  );
}

function notFound(...[key, what, known, name]: [string, string, readonly string[], string]) {
  const names = known.map((each) => `"${each}"`).join(', ') || 'there are none';
  return `${key}: expected ${what} (${names}), found "${name}": requests for it are refused`;
}
