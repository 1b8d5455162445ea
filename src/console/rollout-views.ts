import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseLatest, parsePage } from '../config/admin-request.ts';
import type { Asker } from '../core/entrance.ts';
import { ServeError } from '../core/errors.ts';
import { type Refusal, refused } from '../core/refusal.ts';
import type { Controller } from '../rollout/controller.ts';
import { VIEW, VIEW_ANY } from './admin-door.ts';
import { adminErrorOfRefusal } from './admin-error.ts';

export type RolloutViewsOptions = {
  readonly controller: Pick<Controller, 'list' | 'history'>;
  readonly askerOf: (request: FastifyRequest) => Asker;
  /** @throws ServeError where there is no such model. */
  readonly checkModel: (model: string) => void;
  /** Why it is not known what is on record; undefined: it is. */
  readonly whyUnread: () => string | undefined;
};

/** Adds the lists of rollouts: of all models, and of one, newest first. */
export function addRolloutViews(app: FastifyInstance, options: RolloutViewsOptions): void {
  const { controller, askerOf, checkModel, whyUnread } = options;
  // None is known, which does not mean that there is none.
  const unread = (): Refusal | undefined => {
    const why = whyUnread();
    return why === undefined ? undefined : refused('not_ready', why);
  };
  app.get('/api/v1/rollouts', VIEW_ANY, async (request, reply) => {
    const refusal = unread();
    if (refusal === undefined) {
      const asker = askerOf(request);
      const all = controller.list(parseLatest(request.query));
      return { rollouts: all.filter(({ model }) => asker.may('view', model)) };
    }
    const { status, body } = adminErrorOfRefusal(refusal);
    return reply.code(status).send(body);
  });
  app.get<{ readonly Params: { readonly model: string } }>(
    '/api/v1/models/:model/rollouts',
    VIEW,
    async ({ params: { model }, query }, reply) => {
      const refusal = unread();
      if (refusal !== undefined) {
        const { status, body } = adminErrorOfRefusal(refusal);
        return reply.code(status).send(body);
      }
      const asked = parsePage(query);
      const page = controller.history(model, asked);
      if (page === undefined) {
        const message = `before: expected one of the newest rollouts of ${model}, found ${JSON.stringify(asked.before)}`;
        throw new ServeError('invalid_input', message);
      }
      if (page.rollouts.length === 0 && asked.before === undefined) checkModel(model);
      return page;
    },
  );
}
