import { ALL_BP, type Route, type RouteView } from '../core/route.ts';
import type { Catalog } from './catalog.ts';
import { initialRoutes } from './initial-routes.ts';

/**
 * Routes that the configuration writes and that the ledger has otherwise, a sentence each. The ledger wins, as it must after a
 * promotion; an operator who edits the file and sees no effect needs the reason.
 */
export function overruledRoutes(
  catalog: Catalog,
  routes: Pick<RouteView, 'read'>,
): readonly string[] {
  return initialRoutes(catalog).flatMap((written) => {
    const { model } = written;
    const present = routes.read(model);
    const { route, follows } = catalog.settings(model);
    if ((route === undefined && !follows) || present === undefined) return [];
    const [file, ledger] = [routeText(written), routeText(present)];
    if (file === ledger) return [];
    return [
      `models.${model}.${route === undefined ? 'versions' : 'route'}: overridden by the ledger (file: ${file}; ledger: ${ledger}). To change it: PUT /api/v1/models/${model}/route`,
    ];
  });
}

function routeText({ stable, shares, mirror }: Route): string {
  const split = shares
    .filter(({ weightBp }) => weightBp > 0 && weightBp < ALL_BP)
    .map(({ version, weightBp }) => `${weightBp / 100} % to ${version}`);
  const mirrored =
    mirror === undefined ? [] : [`${mirror.sampleBp / 100} % mirrored to ${mirror.version}`];
  return [`stable ${stable}`, ...split.sort(), ...mirrored].join(', ');
}
