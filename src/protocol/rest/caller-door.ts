import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import type { ClientCertificate } from '../../core/caller.ts';
import { credentialsIn } from '../../core/credentials.ts';
import { ANONYMOUS, ANY_ASKER, type Asker, type Needs } from '../../core/entrance.ts';
import { ServeError } from '../../core/errors.ts';
import type { Service } from '../service.ts';

export type CallerDoorOptions = Pick<Service, 'entrance' | 'quotas' | 'onRefused'> & {
  /** The certificate that a caller proved to hold; by default none. */
  readonly certificateOf?:
    | ((request: IncomingMessage) => ClientCertificate | undefined)
    | undefined;
};

/** Who sent a request that was let in. */
export type AskerOf = (request: IncomingMessage) => Asker;

/** What a route asks before its body is read. */
export type DoorOf = {
  readonly needs: Needs;
  /** Whether its requests count against the quota of their caller for the model. */
  readonly isInference: boolean;
  /** The model that it is about, where its path names none. */
  readonly model?: string;
};

type Params = { readonly model?: string };

/**
 * Asks who calls a route, whether that caller may, and whether it is within its quota: in this order, and before anything of the body is
 * received.
 */
export class CallerDoor {
  readonly #options: CallerDoorOptions;
  readonly #askers = new WeakMap<IncomingMessage, Asker>();

  constructor(options: CallerDoorOptions) {
    this.#options = options;
  }

  /** Who sent a request that was let in. */
  readonly askerOf: AskerOf = (request) => {
    if (this.#options.entrance === undefined) return ANY_ASKER;
    const asker = this.#askers.get(request);
    if (asker === undefined) throw new Error('expected a request that was let in, found another');
    return asker;
  };

  /** What a route asks of each request. */
  hooksOf(door: DoorOf): onRequestHookHandler[] {
    const { needs, isInference } = door;
    const { entrance, quotas } = this.#options;
    const isAsked = needs !== 'nothing' && entrance !== undefined;
    if (!isAsked && !(isInference && quotas !== undefined)) return [];
    return [(request, reply, done) => this.#enter(door, { request, reply, done })];
  }

  #enter(door: DoorOf, { request, reply, done }: Entering): void {
    const { model = door.model } = request.params as Params;
    const refuse = (thrown: unknown): void => {
      const error = ServeError.from(thrown);
      if (door.isInference) this.#options.onRefused(model ?? '', error.code);
      done(error);
    };
    const letIn = (asker: Asker): void => {
      if (asker !== ANY_ASKER) this.#askers.set(request.raw, asker);
      if (door.isInference) this.#count(asker, model ?? '', { request, reply });
      done();
    };
    try {
      const asker = this.#ask(door.needs, request.raw, model);
      if (!(asker instanceof Promise)) letIn(asker);
      else asker.then(letIn).catch(refuse);
    } catch (thrown) {
      refuse(thrown);
    }
  }

  #ask(needs: Needs, request: IncomingMessage, model?: string): Asker | Promise<Asker> {
    const { entrance, certificateOf } = this.#options;
    if (needs === 'nothing' || entrance === undefined) return ANY_ASKER;
    const certificate = certificateOf?.(request);
    return entrance.enter(credentialsIn(request.rawHeaders, certificate), needs, model);
  }

  /** The place is given back once the answer has left, or the connection is gone. */
  #count(asker: Asker, model: string, { request, reply }: Omit<Entering, 'done'>): void {
    const hold = this.#options.quotas?.take(asker.caller?.name ?? ANONYMOUS, model);
    if (hold === undefined) return;
    reply.raw.once('close', hold.release);
    // It may have gone while it was found out who asks, and closes no second time.
    if (request.raw.socket.destroyed) hold.release();
  }
}

type Entering = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly done: (error?: Error) => void;
};
