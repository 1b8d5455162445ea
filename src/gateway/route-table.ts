import assert from 'node:assert/strict';

import { ALL_BP, type Route, type RouteView } from '../core/route.ts';

/** How every model's traffic is shared at present. Read on every request; written by the controller only. */
export type RouteTable = RouteView & {
  /** Replaces the model's route. The shares must be whole, not negative, and add up to 10,000. */
  readonly write: (route: Route) => void;
  /** From here on there is no such model. */
  readonly remove: (model: string) => void;
};

export function createRouteTable(initial: readonly Route[]): RouteTable {
  const routes = new Map<string, Route>();
  const write = (route: Route): void => {
    assertShares(route);
    routes.set(route.model, route);
  };
  for (const route of initial) write(route);
  return {
    read: (model) => routes.get(model),
    list: () => [...routes.values()],
    write,
    remove: (model) => void routes.delete(model),
  };
}

function assertShares({ model, shares }: Route): void {
  for (const share of shares) {
    assert(
      Number.isInteger(share.weightBp) && share.weightBp >= 0,
      `route of '${model}': weight of version '${share.version}' must be a whole number of basis points, found ${share.weightBp}`,
    );
  }
  const sum = shares.reduce((total, share) => total + share.weightBp, 0);
  assert.equal(sum, ALL_BP, `route of '${model}': shares must add up to ${ALL_BP}, found ${sum}`);
}
