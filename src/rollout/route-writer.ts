import type { Route } from '../core/route.ts';
import { canonicalJson } from '../ledger/canonical-json.ts';
import type { Logbook } from './logbook.ts';
import type { Routes } from './stage.ts';

/** Writes routes: to the ledger first, then to the table that the gateway reads. */
export class RouteWriter {
  readonly #routes: Routes;
  readonly #book: Logbook;

  constructor(routes: Routes, book: Logbook) {
    this.#routes = routes;
    this.#book = book;
  }

  /** Brings record and table to this route; what says so already is left as it is. Raises the revision on each change. */
  async write(desired: Route, why: string): Promise<void> {
    const recorded = this.#book.model(desired.model).route;
    const present = this.#routes.read(desired.model);
    const known = recorded ?? present;
    if (known !== undefined && isSameRoute(known, desired)) {
      if (present === undefined || !isSameRoute(present, desired)) {
        this.#routes.write({ ...desired, revision: known.revision });
      }
      return;
    }
    const route = { ...desired, revision: this.#nextRevision(desired.model) };
    await this.#book.append({ kind: 'route', route, why });
    this.#routes.write(route);
  }

  /** Writes to the table only: for leading people away from a candidate while the ledger takes nothing. */
  writeUnrecorded(desired: Route): void {
    const present = this.#routes.read(desired.model);
    if (present !== undefined && isSameRoute(present, desired)) return;
    this.#routes.write({ ...desired, revision: this.#nextRevision(desired.model) });
  }

  #nextRevision(model: string): number {
    const recorded = this.#book.model(model).route?.revision ?? 0;
    return Math.max(recorded, this.#routes.read(model)?.revision ?? 0) + 1;
  }
}

/** Compares what the controller owns of a route; rules and aliases are the configuration's. */
export function isSameRoute(a: Route, b: Route): boolean {
  return canonicalJson(owned(a)) === canonicalJson(owned(b));
}

function owned({ stable, shares, salt, mirror }: Route): Partial<Route> {
  return { stable, shares, salt, mirror };
}
