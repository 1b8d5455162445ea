import type {
  FastifyReply,
  FastifyRequest,
  onRequestHookHandler,
  RouteHandlerMethod,
} from 'fastify';
import type { Needs } from '../../core/entrance.ts';

/** One verb of one path, with what answers it. */
export type RestRoute = {
  readonly method: 'GET' | 'POST';
  /** Names of parameters begin with a colon. */
  readonly url: string;
  /** What is asked of callers before the body is read. */
  readonly needs: Needs;
  /** Whether requests count against quotas; by default they do not. */
  readonly isInference?: boolean;
  readonly handler: RouteHandlerMethod;
  /** Asked before the body is read. */
  readonly onRequest?: onRequestHookHandler;
};

/** What the path of a route says. */
type Params = {
  readonly model: string;
  readonly version?: string;
  readonly region: string;
};

/** A call of a route, with the parameters that its path names. */
export type Call<Names extends keyof Params = never> = FastifyRequest<{
  Params: Pick<Params, Names>;
}>;

type Handler<Names extends keyof Params> = (
  http: Call<Names>,
  reply: FastifyReply,
) => Promise<unknown>;

export function get<Names extends keyof Params>(
  url: string,
  needs: Needs,
  handler: Handler<Names>,
): RestRoute {
  return { method: 'GET', url, needs, handler: handler as RouteHandlerMethod };
}

export function post<Names extends keyof Params>(
  url: string,
  needs: Needs,
  handler: Handler<Names>,
): RestRoute {
  return { method: 'POST', url, needs, handler: handler as RouteHandlerMethod };
}
