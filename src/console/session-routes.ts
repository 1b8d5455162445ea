import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ANYONE, type ClientCertificate, type Credentials } from '../core/caller.ts';
import { credentialsIn, sessionIn } from '../core/credentials.ts';
import { reasonOf } from '../core/entrance.ts';
import { ServeError } from '../core/errors.ts';
import type { CommandBy } from '../core/rollout.ts';
import type { SessionDoor, SessionView } from '../core/session.ts';
import { OPEN } from './admin-door.ts';

export type SessionRoutesOptions = {
  /** Undefined: authentication is off, and everyone may do all. */
  readonly sessions?: SessionDoor | undefined;
  readonly certificateOf?:
    | ((request: IncomingMessage) => ClientCertificate | undefined)
    | undefined;
  /** Called for each refusal, with a fixed word. Must not throw. */
  readonly onSessionRefused?: ((reason: string) => void) | undefined;
  /** Called for each sign-in and sign-out, for the ledger. Must not throw. */
  readonly onSession?: ((what: 'signedIn' | 'signedOut', by: CommandBy) => void) | undefined;
};

const PATH = '/api/v1/session';

/** Browsers sign in, look who they are, and sign out. These routes ask by themselves who calls: others let in by what they give. */
export function addSessionRoutes(app: FastifyInstance, options: SessionRoutesOptions): void {
  const { onSession } = options;
  const sessions = options.sessions && counting(options.sessions, options.onSessionRefused);
  const credentialsOf = ({ raw, method }: FastifyRequest): Credentials => ({
    ...credentialsIn(raw.rawHeaders, options.certificateOf?.(raw)),
    session: sessionIn(raw.rawHeaders, method),
  });
  const noted = (what: 'signedIn' | 'signedOut', caller: string, { socket }: FastifyRequest) =>
    onSession?.(what, { caller, address: socket.remoteAddress ?? '' });
  app.get(PATH, OPEN, async (request, reply) => {
    reply.header('cache-control', 'no-store');
    if (sessions === undefined) return bodyOf({ caller: ANYONE, ...NO_SESSION });
    return bodyOf(await sessions.view(credentialsOf(request)));
  });
  app.post(PATH, OPEN, async (request, reply) => {
    const isSecure = request.socket instanceof TLSSocket;
    const { setCookie, ...view } = await doorOf(sessions).open(credentialsOf(request), isSecure);
    noted('signedIn', view.caller.name, request);
    reply.code(201).headers({ 'set-cookie': setCookie, 'cache-control': 'no-store' });
    return bodyOf(view);
  });
  app.delete(PATH, OPEN, async (request, reply) => {
    const { caller, setCookie } = doorOf(sessions).close(credentialsOf(request));
    noted('signedOut', caller.name, request);
    return reply.code(204).headers({ 'set-cookie': setCookie, 'cache-control': 'no-store' }).send();
  });
}

/** The same, and each refusal is counted. */
function counting(door: SessionDoor, onRefused: (reason: string) => void = () => undefined) {
  const failed = (error: unknown): never => {
    onRefused(reasonOf(error));
    throw error;
  };
  return {
    open: (credentials, isSecure) => door.open(credentials, isSecure).catch(failed),
    view: (credentials) => door.view(credentials).catch(failed),
    close: (credentials) => {
      try {
        return door.close(credentials);
      } catch (error) {
        return failed(error);
      }
    },
  } satisfies SessionDoor;
}

const NO_SESSION = { csrf: undefined, untilMs: undefined };

/** @throws ServeError `conflict` where there is nothing to sign in to. */
function doorOf(sessions: SessionDoor | undefined): SessionDoor {
  if (sessions !== undefined) return sessions;
  throw new ServeError('conflict', 'authentication is off: a section auth switches it on');
}

function bodyOf({ caller, csrf, untilMs }: SessionView): object {
  const expires = untilMs === undefined ? undefined : new Date(untilMs).toISOString();
  return { caller: caller.name, grants: caller.grants, csrf, expires };
}
