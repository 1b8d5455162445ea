import type { GatewayLimits } from '../gateway/gateway.ts';
import type { Catalog } from '../models/catalog.ts';

/** Requests whose callers wait at one time, over all models: some hundred MB of small requests at most. */
const IN_FLIGHT_MAX = 4_096;

/** Of these, requests that one arm on trial holds at one time. */
const ARM_IN_FLIGHT_MAX = 1_024;

/** What the gateway lets in. */
export function gatewayLimits(catalog: Catalog): GatewayLimits {
  return {
    inFlightMax: IN_FLIGHT_MAX,
    armInFlightMax: ARM_IN_FLIGHT_MAX,
    // A request of an undeclared model runs alone where it has more rows than a run may have.
    rowsMax: (model) => {
      const { rowsMax, declared } = catalog.settings(model).batch;
      return declared && rowsMax > 0 ? rowsMax : Number.POSITIVE_INFINITY;
    },
  };
}
