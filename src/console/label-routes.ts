import type { FastifyInstance } from 'fastify';
import { parseNextLabels } from '../config/label-request.ts';
import { ANONYMOUS } from '../core/entrance.ts';
import { type AdminDoor, LABEL } from './admin-door.ts';

/** Hands out labels that are wanted of a model: at most `limit`, on a lease of so many milliseconds. */
export type NextLabels = (asked: {
  readonly model: string;
  /** Who asks: a caller's name, or its address. */
  readonly by: string;
  readonly leaseMs: number;
  readonly limit: number;
}) => object;

export type LabelRoutesOptions = {
  readonly door: Pick<AdminDoor, 'askerOf' | 'byOf'>;
  /** By default none is wanted. */
  readonly nextLabels?: NextLabels;
  /** @throws ServeError where there is no such model. */
  readonly checkModel: (model: string) => void;
};

type OfModel = { readonly Params: { readonly model: string } };

/** Adds the label queue: what is wanted of a model. */
export function addLabelRoutes(app: FastifyInstance, options: LabelRoutesOptions): void {
  const { door, nextLabels = noneWanted, checkModel } = options;
  // A HEAD would take leases and return none of the labels.
  const only = { ...LABEL, exposeHeadRoute: false };
  app.get<OfModel>('/api/v1/models/:model/labels/next', only, async (request) => {
    const { model } = request.params;
    const asked = parseNextLabels(request.query);
    checkModel(model);
    const { caller } = door.askerOf(request);
    const isKnown = caller !== undefined && caller.name !== ANONYMOUS;
    const by = isKnown ? caller.name : door.byOf(request).address;
    return nextLabels({ model, by, ...asked });
  });
}

function noneWanted(): object {
  return { wanted: 0, leased: 0, leasedBy: {}, labels: [] };
}
