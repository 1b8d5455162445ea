import { withRolloutDefaults } from '../config/rollout-defaults.ts';
import { parseRolloutRequest, rolloutSpecFrom } from '../config/rollout-spec.ts';
import { ServeError } from '../core/errors.ts';
import type { RolloutSpec } from '../core/rollout.ts';
import type { Catalog } from './catalog.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import type { Lookout } from './lookout.ts';
import type { RouteOwner } from './route-owner.ts';

export type RolloutSpecParts = {
  readonly catalog: Pick<Catalog, 'entry' | 'settings' | 'rolloutDefaults'>;
  readonly controller: Pick<RouteOwner, 'route' | 'anchorOf'>;
  readonly lookout: Pick<Lookout, 'lookAt'>;
};

/**
 * The request's keys, completed from the configuration; the model's present stable version is what it is tried against. Looks at
 * the model's folder first: a candidate may have come since, and a trial of files that changed would end as it begins.
 */
export async function rolloutSpecOf(
  { catalog, controller, lookout }: RolloutSpecParts,
  model: string,
  body: unknown,
): Promise<Omit<RolloutSpec, 'salt'>> {
  const { candidate, overrides } = parseRolloutRequest(body);
  await lookout.lookAt(model, [candidate]);
  checkUnchanged(catalog.entry(model), [controller.route(model)?.stable, candidate]);
  const { labels, compare, rollout, routing } = catalog.settings(model);
  // An unknown model has no stable version; the controller refuses it by name.
  const stable = controller.route(model)?.stable ?? '';
  const attributes = Object.keys(routing.attributes);
  const asked = { model, stable, candidate, overrides, labels, compare, attributes };
  const written = withRolloutDefaults(catalog.rolloutDefaults(), rollout);
  const spec = rolloutSpecFrom(written, asked);
  if (isHeldToAnchor(spec)) checkUnchanged(catalog.entry(model), [controller.anchorOf(model)]);
  return spec;
}

/** Loss adds up against the anchor where labels have to prove it. */
function isHeldToAnchor({ steps, anchorShare = 0 }: Omit<RolloutSpec, 'salt'>): boolean {
  const isRequired = steps.some(
    (step) => step.kind === 'analysis' && step.require.includes('labelledLoss'),
  );
  return isRequired && anchorShare > 0;
}

/** @throws ServeError `conflict` where one of the versions lies in the repository otherwise than it was read. */
function checkUnchanged(
  entry: CatalogEntry | undefined,
  versions: readonly (string | undefined)[],
): void {
  const change = entry?.changes.find(
    ({ version }) => version === undefined || versions.includes(version),
  );
  if (entry === undefined || change === undefined) return;
  const which = change.version === undefined ? entry.model : `version ${change.version}`;
  throw new ServeError(
    'conflict',
    `${which}: ${change.reason}. Put them back, or take them up: understudy models reload ${entry.model}`,
  );
}
