import type { Route } from '../../core/route.ts';
import { canonicalJson } from '../../ledger/canonical-json.ts';
import type { AppendOptions } from '../../ledger/ledger.ts';
import type { Logbook } from '../history/logbook.ts';
import type { RolloutDeployer, Routes } from './deployer.ts';

export type RouteWriterOptions = {
  readonly routes: Routes;
  readonly deployer: Pick<RolloutDeployer, 'reconcile'>;
  readonly book: Logbook;
  /** True for a route that sends traffic to a candidate whose trial has ended by now. */
  readonly isOutdated: (route: Route) => boolean;
};

/**
 * The one door to the table of routes that the gateway reads. A route that is for the record is written to the ledger first. What
 * runs is reconciled after each change of the table.
 */
export class RouteWriter {
  readonly #options: RouteWriterOptions;

  constructor(options: RouteWriterOptions) {
    this.#options = options;
  }

  /** Brings record and table to this route; what says so already is left as it is. Raises the revision on each change. */
  async write(desired: Route, why: string, options?: AppendOptions): Promise<void> {
    const { routes, book } = this.#options;
    const recorded = book.model(desired.model).route;
    const present = routes.read(desired.model);
    const known = recorded ?? present;
    if (known !== undefined && isSameRoute(known, desired)) {
      if (present === undefined || !isSameRoute(present, desired))
        this.#toTable({ ...desired, revision: known.revision });
      return;
    }
    // What was written to the table before it could be recorded keeps its revision.
    const isThere =
      present !== undefined &&
      isSameRoute(present, desired) &&
      present.revision > (recorded?.revision ?? 0);
    const revision = isThere ? present.revision : this.#nextRevision(desired.model);
    const route = { ...desired, revision };
    await book.append({ kind: 'route', route, why }, options);
    if (!isThere) this.#toTable(route);
  }

  /** Writes to the table only: for taking traffic away from a candidate, which waits for no ledger. */
  writeUnrecorded(desired: Route): void {
    const { routes } = this.#options;
    const present = routes.read(desired.model);
    if (present !== undefined && isSameRoute(present, desired)) return;
    this.place({ ...desired, revision: this.#nextRevision(desired.model) });
  }

  /** Writes to the table only, the revision included: a route that is on record already, or is the configuration's. */
  place(route: Route): void {
    this.#options.routes.write(route);
    this.#options.deployer.reconcile(route.model);
  }

  /** No traffic is routed to the model from here on. */
  remove(model: string): void {
    this.#options.routes.remove(model);
    this.#options.deployer.reconcile(model);
  }

  /** While a record was on its way to the disk traffic may have been taken away from what it leads to. */
  #toTable(route: Route): void {
    if (!this.#options.isOutdated(route)) this.place(route);
  }

  #nextRevision(model: string): number {
    const { routes, book } = this.#options;
    const recorded = book.model(model).route?.revision ?? 0;
    return Math.max(recorded, routes.read(model)?.revision ?? 0) + 1;
  }
}

/** Compares what the controller owns of a route; rules and aliases are the configuration's. */
export function isSameRoute(a: Route, b: Route): boolean {
  return canonicalJson(owned(a)) === canonicalJson(owned(b));
}

function owned({ stable, shares, salt, mirror }: Route): Partial<Route> {
  return { stable, shares, salt, mirror };
}
