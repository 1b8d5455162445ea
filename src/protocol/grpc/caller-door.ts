import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
} from '@grpc/grpc-js';
import { type ClientCertificate, type Credentials, NO_CREDENTIALS } from '../../core/caller.ts';
import { credentialsIn } from '../../core/credentials.ts';
import { ANY_ASKER, type Asker, type Entrance, type Needs } from '../../core/entrance.ts';
import { ServeError } from '../../core/errors.ts';
import { callInternals } from './library-internals.ts';
import { refusing } from './refusing-call.ts';
import { statusOf } from './status.ts';

export type CallerDoorOptions = {
  /** Undefined: authentication is off. */
  readonly entrance: Entrance | undefined;
  /** By path; a method that is not there is refused. */
  readonly needs: ReadonlyMap<string, Needs>;
  /** The certificate that a caller proved to hold; by default none. */
  readonly certificateOf?: ((socket: Socket) => ClientCertificate | undefined) | undefined;
};

/** As Node hands them over: joined, flags, and as they came. */
type Headers = readonly [unknown, unknown, readonly string[]];

type Call = ConstructorParameters<typeof ServerInterceptingCall>[0];

/** What a call came with, and who sent it where that is known. */
type Known = { readonly credentials: Credentials; readonly asker: Asker | undefined };

/**
 * Asks who sends a call, and whether that caller may, before any of its messages is read.
 *
 * Credentials are read where HTTP/2 has every value of a header: the library's metadata has only the first.
 */
export class CallerDoor {
  readonly #options: CallerDoorOptions;
  readonly #credentials = new WeakMap<ServerHttp2Stream, Credentials>();
  readonly #known = new WeakMap<Metadata, Known>();

  constructor(options: CallerDoorOptions) {
    this.#options = options;
  }

  /** Reads the credentials of all calls on a connection. */
  watch(session: ServerHttp2Session, socket: Socket): void {
    const { entrance, certificateOf } = this.#options;
    if (entrance === undefined) return;
    // Ahead of the library, so that no call comes without.
    session.prependListener('stream', (stream: ServerHttp2Stream, ...about: Headers) => {
      this.#credentials.set(stream, credentialsIn(about[2], certificateOf?.(socket)));
    });
  }

  /** Stands behind the interceptor that is given the library's own call, and any that leaves it as it is. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    const { entrance, needs } = this.#options;
    // One before it has refused the call.
    if (call instanceof ServerInterceptingCall || entrance === undefined) {
      return call as ServerInterceptingCall;
    }
    try {
      const { stream, metadata } = callInternals(call);
      const credentials = this.#credentials.get(stream) ?? NO_CREDENTIALS;
      const needed = needs.get(method.path);
      if (needed === undefined)
        throw new Error(`expected what ${method.path} needs, found nothing`);
      if (needed === 'nothing') {
        this.#known.set(metadata, { credentials, asker: undefined });
        return call as ServerInterceptingCall;
      }
      const asker = entrance.enter(credentials, needed);
      const letIn = (known: Asker): void => {
        this.#known.set(metadata, { credentials, asker: known });
      };
      if (asker instanceof Promise) return waiting(call, asker.then(letIn));
      letIn(asker);
      return call as ServerInterceptingCall;
    } catch (refusal) {
      return refusing(call, refusal);
    }
  };

  /** Who sent a call that was let in by what its method needs. */
  askerOf(metadata: Metadata): Asker {
    if (this.#options.entrance === undefined) return ANY_ASKER;
    return this.#known.get(metadata)?.asker ?? STRANGER;
  }

  /**
   * Who sends one message of a call, which was let in before or needs nothing: a caller that was let in once may have been shut out since.
   * @throws ServeError as `Entrance.enter` does, or rejects with it.
   */
  ask(metadata: Metadata, needs: Exclude<Needs, 'nothing'>): Asker | Promise<Asker> {
    const { entrance } = this.#options;
    if (entrance === undefined) return ANY_ASKER;
    return entrance.enter(this.#known.get(metadata)?.credentials ?? NO_CREDENTIALS, needs);
  }
}

/** Of a call that nothing was asked of. */
const STRANGER: Asker = {
  caller: undefined,
  may: () => false,
  check: () => {
    throw new ServeError('unauthenticated', 'expected a caller that was asked, found another');
  },
};

/** A call of which nothing is read before it is known who sends it. */
function waiting(call: Call, entered: Promise<void>): ServerInterceptingCall {
  // Where the call is over already it does not start.
  entered.catch(() => undefined);
  const listener = new ServerListenerBuilder()
    .withOnReceiveMetadata((metadata, next) => {
      entered.then(
        () => next(metadata),
        (refusal: unknown) => call.sendStatus(statusOf(refusal)),
      );
    })
    .build();
  return new ServerInterceptingCall(call, { start: (next) => next(listener) });
}
