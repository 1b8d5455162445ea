import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Asker } from '../core/entrance.ts';
import { pagePolicy } from '../core/page-policy.ts';
import { type Refusal, refused } from '../core/refusal.ts';
import { PAGE_STYLE } from '../plots/page-style.ts';
import type { Controller } from '../rollout/controller.ts';
import { VIEW, VIEW_ANY } from './admin-door.ts';
import { adminErrorOfRefusal } from './admin-error.ts';
import { evidencePage } from './evidence-page.ts';

export type EvidenceRoutesOptions = {
  readonly controller: Pick<Controller, 'status' | 'exportEvidence'>;
  readonly askerOf: (request: FastifyRequest) => Asker;
  /** Throws where there is no such model. */
  readonly checkModel: (model: string) => void;
  /** Why it is not known what is on record; undefined: it is. */
  readonly whyUnread: () => string | undefined;
};

type OfModel = { readonly Params: { readonly model: string } };
type OfRollout = { readonly Params: { readonly id: string } };

/**
 * The evidence of a rollout as `understudy evidence export` gives it, of a model's latest or of any that the ledger has: JSON, or for a
 * browser one HTML page.
 */
export function addEvidenceRoutes(
  app: FastifyInstance,
  { controller, askerOf, checkModel, whyUnread }: EvidenceRoutesOptions,
): void {
  const answer = async (id: string, request: FastifyRequest, reply: FastifyReply) => {
    const why = whyUnread();
    if (why !== undefined) return refuse(reply, refused('not_ready', why));
    const checked = await controller.exportEvidence(id);
    // Of models that the caller may not see it is not said either that there is one.
    if (checked === undefined || !askerOf(request).may('view', checked.evidence.spec.model))
      return refuse(reply, refused('no_rollout', `no rollout ${id} in the ledger`));
    reply.header('vary', 'accept');
    if (!prefersHtml(request.headers.accept)) return reply.send(checked);
    return reply
      .header('content-security-policy', pagePolicy(String(PAGE_STYLE)))
      .type('text/html; charset=utf-8')
      .send(evidencePage(checked));
  };
  app.get<OfModel>('/api/v1/models/:model/rollout/evidence', VIEW, async (request, reply) => {
    const { model } = request.params;
    const id = controller.status(model)?.id;
    if (id !== undefined) return answer(id, request, reply);
    checkModel(model);
    return refuse(reply, refused('no_rollout', `no rollout of ${model} yet`));
  });
  app.get<OfRollout>('/api/v1/rollouts/:id/evidence', VIEW_ANY, async (request, reply) =>
    answer(request.params.id, request, reply),
  );
}

function refuse(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { status, body } = adminErrorOfRefusal(refusal);
  return reply.code(status).send(body);
}

/** JSON unless HTML is asked for by name, and not as less welcome than JSON. */
function prefersHtml(accept = ''): boolean {
  const [html, json] = ['text/html', 'application/json'].map((type) => weightOf(accept, type));
  return html !== undefined && html > 0 && html >= (json ?? 0);
}

/** The weight of a type that is named; undefined: it is not. */
function weightOf(accept: string, type: string): number | undefined {
  for (const range of accept.toLowerCase().split(',')) {
    const [name, ...parameters] = range.split(';').map((part) => part.trim());
    if (name !== type) continue;
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    return weight === undefined ? 1 : Number(weight.slice(2)) || 0;
  }
  return undefined;
}
