import { type Caller, type Credentials, type Doors, hasRole, type Role } from './caller.ts';
import { ServeError } from './errors.ts';

/** What a route, or a method, asks of its caller before anything of the request's content is read. */
export type Needs =
  /** Nothing: whether the server lives, and is ready. */
  | 'nothing'
  /** A role on the model that the request is about. Where only the content names it, the handler checks it as soon as it has read that. */
  | { readonly role: Role; readonly of: 'model' }
  /** A role, or another one in its place, on one model or more: the answer shows no others. */
  | { readonly role: Role; readonly or?: Role; readonly of: 'any' }
  /** A role on `*`: what is asked for belongs to no model. */
  | { readonly role: Role; readonly of: 'all' };

/** Who asks for one thing, and what that caller may see and do. */
export type Asker = {
  /** As in `Caller`; undefined: nothing is known of callers, since authentication is off. */
  readonly caller: Caller | undefined;
  readonly may: (role: Role, model: string | undefined) => boolean;
  /** @throws ServeError as `Doors.check` does. */
  readonly check: (role: Role, model: string | undefined) => void;
};

/** The name of a caller without credentials. */
export const ANONYMOUS = 'anonymous';

/** What callers come in by. */
export type Plane = 'http' | 'grpc' | 'admin';

/** Where authentication is off: may do everything. */
export const ANY_ASKER: Asker = { caller: undefined, may: () => true, check: () => undefined };

/** What each protocol asks of every request, before it reads its body or decodes its message. */
export type Entrance = {
  /**
   * Who asks, where the caller may do what is needed: at once but for tokens that are seen for the first time.
   * @param model the one that the request names, where that is known by now.
   * @throws ServeError `unauthenticated` or `forbidden`, or rejects with it: the same whether there is such a model or not.
   */
  readonly enter: (
    credentials: Credentials,
    needs: Exclude<Needs, 'nothing'>,
    model?: string,
  ) => Asker | Promise<Asker>;
};

export type EntranceOptions = {
  readonly doors: Doors;
  /** Called for each refusal, with a fixed word. Must not throw. */
  readonly onRefused: (reason: string) => void;
};

export function createEntrance(options: EntranceOptions): Entrance {
  const { doors } = options;
  const admit = (caller: Caller, needs: Exclude<Needs, 'nothing'>, model?: string): Asker => {
    const asker = new KnownAsker(caller, options);
    const { role, of } = needs;
    if (of === 'all') asker.check(role, undefined);
    else if (of === 'any') asker.checkAny(role, needs.or);
    else if (model === undefined) asker.checkAny(role);
    else asker.check(role, model);
    return asker;
  };
  const failed = (thrown: unknown): never => {
    options.onRefused(reasonOf(thrown));
    throw thrown;
  };
  return {
    enter: (credentials, needs, model) => {
      let found: Caller | Promise<Caller>;
      try {
        found = doors.identify(credentials);
      } catch (thrown) {
        return failed(thrown);
      }
      if (!(found instanceof Promise)) return admit(found, needs, model);
      return found.catch(failed).then((caller) => admit(caller, needs, model));
    },
  };
}

/** Why a caller was refused, as a fixed word: a refusal may bring one of its own. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof ServeError)) return 'internal';
  const { reason } = thrown as { readonly reason?: unknown };
  return typeof reason === 'string' ? reason : thrown.code;
}

class KnownAsker implements Asker {
  readonly caller: Caller;
  readonly #options: EntranceOptions;

  constructor(caller: Caller, options: EntranceOptions) {
    this.caller = caller;
    this.#options = options;
  }

  may(role: Role, model: string | undefined): boolean {
    return hasRole(this.caller, role, model);
  }

  check(role: Role, model: string | undefined): void {
    try {
      this.#options.doors.check(this.caller, role, model);
    } catch (refusal) {
      this.#options.onRefused(reasonOf(refusal));
      throw refusal;
    }
  }

  /** Without the role on any model it is refused as for one that there is not. */
  checkAny(role: Role, or: Role = role): void {
    const mayEither = (model: string | undefined): boolean =>
      this.may(role, model) || this.may(or, model);
    const isOfSome = this.caller.grants.some(({ models }) =>
      models === '*' ? mayEither(undefined) : models.some(mayEither),
    );
    if (isOfSome) return;
    try {
      this.check(role, undefined);
    } catch (refusal) {
      if (!(refusal instanceof ServeError) || refusal.code !== 'forbidden') throw refusal;
      const message = `expected a caller with the role ${role} on a model, found ${this.caller.name}`;
      throw new ServeError('forbidden', message);
    }
  }
}
