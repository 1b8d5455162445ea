import type { IncomingMessage } from 'node:http';
import type {
  FastifyInstance,
  FastifyRequest,
  onRequestHookHandler,
  RouteShorthandOptions,
} from 'fastify';
import type { ClientCertificate } from '../core/caller.ts';
import { credentialsIn, sessionIn } from '../core/credentials.ts';
import { ANONYMOUS, ANY_ASKER, type Asker, type Entrance, type Needs } from '../core/entrance.ts';
import type { CommandBy } from '../core/rollout.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route asks of callers before the body is read. Every route of the admin port says it. */
    needs?: Needs;
  }
}

/** What a route of the admin port asks of its callers, in its definition. */
export const OPEN = needing('nothing');
export const VIEW = needing({ role: 'view', of: 'model' });
export const VIEW_ANY = needing({ role: 'view', of: 'any' });
export const VIEW_ALL = needing({ role: 'view', of: 'all' });
export const LABEL = needing({ role: 'label', of: 'model' });
export const OPERATE = needing({ role: 'operate', of: 'model' });
export const OPERATE_ANY = needing({ role: 'operate', of: 'any' });
export const ADMIN = needing({ role: 'admin', of: 'all' });

function needing(needs: Needs): RouteShorthandOptions {
  return { config: { needs } };
}

export type AdminDoorOptions = {
  /** Undefined: authentication is off. */
  readonly entrance?: Entrance | undefined;
  /** The certificate that a caller proved to hold; by default none. */
  readonly certificateOf?:
    | ((request: IncomingMessage) => ClientCertificate | undefined)
    | undefined;
};

/** Asks who calls the admin port, and whether that caller may, before anything of a body is received. */
export class AdminDoor {
  readonly #options: AdminDoorOptions;
  readonly #askers = new WeakMap<FastifyRequest, Asker>();

  constructor(options: AdminDoorOptions) {
    this.#options = options;
  }

  /** Stands in front of all routes that are added from here on. Adding one that does not say what it needs throws. */
  watch(app: FastifyInstance): void {
    app.addHook('onRoute', (route) => {
      const needs = route.config?.needs;
      if (needs === undefined) {
        throw new Error(`expected what ${route.method} ${route.url} needs, found nothing`);
      }
      if (needs !== 'nothing' && this.#options.entrance !== undefined) {
        route.onRequest = this.#hookOf(needs, this.#options.entrance);
      }
    });
  }

  /** Who sent a request that was let in. */
  readonly askerOf = (request: FastifyRequest): Asker => {
    if (this.#options.entrance === undefined) return ANY_ASKER;
    const asker = this.#askers.get(request);
    if (asker === undefined) throw new Error('expected a request that was let in, found another');
    return asker;
  };

  /** Who gives a command, and from where: for the ledger. */
  readonly byOf = (request: FastifyRequest): CommandBy => ({
    caller: this.askerOf(request).caller?.name ?? ANONYMOUS,
    address: request.socket.remoteAddress ?? '',
  });

  #hookOf(needs: Exclude<Needs, 'nothing'>, entrance: Entrance): onRequestHookHandler {
    return async (request) => {
      const { raw } = request;
      const { model } = request.params as { readonly model?: string };
      const credentials = {
        ...credentialsIn(raw.rawHeaders, this.#options.certificateOf?.(raw)),
        session: sessionIn(raw.rawHeaders, request.method),
      };
      this.#askers.set(request, await entrance.enter(credentials, needs, model));
    };
  }
}
