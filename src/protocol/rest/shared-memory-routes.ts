import type { FastifyReply } from 'fastify';
import { INFER_ANY } from '../needs.ts';
import { registrationRefusal, type SharedMemoryKind } from '../shared-memory.ts';
import { readControlJson } from './control-json.ts';
import type { BodyOptions } from './repository-routes.ts';
import { type Call, get, post, type RestRoute } from './route.ts';

/**
 * Shared memory is not served. Clients that take away all regions before they begin, and those that look what there is, are
 * answered all the same.
 */
export function sharedMemoryRoutes(body: BodyOptions): readonly RestRoute[] {
  return [...routesOf('system', body), ...routesOf('cuda', body)];
}

function routesOf(kind: SharedMemoryKind, { limits, slicer }: BodyOptions): readonly RestRoute[] {
  const all = `/v2/${kind}sharedmemory`;
  const one = `${all}/region/:region`;
  return [
    get(`${all}/status`, INFER_ANY, async () => []),
    get(`${one}/status`, INFER_ANY, async (http: Call<'region'>, reply: FastifyReply) => {
      reply.code(404);
      return { error: `Unable to find ${kind} shared memory region: '${http.params.region}'` };
    }),
    post(`${one}/register`, INFER_ANY, async (http: Call<'region'>) => {
      const { region } = http.params;
      const { key } = await readControlJson(http.body, limits, slicer);
      throw registrationRefusal(kind, typeof key === 'string' ? { region, key } : { region });
    }),
    post(`${all}/unregister`, INFER_ANY, async () => ({})),
    post(`${one}/unregister`, INFER_ANY, async () => ({})),
  ];
}
