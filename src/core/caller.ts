/**
 * Who asks, and what that caller may do. These are the types, the port and the pure rule; `auth/` finds out who it is.
 *
 * Every entrance asks in this order, before it reads a body or decodes a message: host and origin, `identify`, `check`, quota.
 */
import { ServeError } from './errors.ts';

/**
 * What a caller may do with a model. `operate` includes `infer`, `label` and `view`, which do not include each other, and `admin`
 * includes all.
 */
export const ROLES = [
  /** Inference; metadata, configuration and statistics of the model. */
  'infer',
  /** Labels of answers, on both planes. */
  'label',
  /** Reads all of the model on the admin port, and changes nothing. */
  'view',
  /** Rollouts, routes and loads. */
  'operate',
  /** All of the gateway: configuration, keys, log settings. Only on `*`. */
  'admin',
] as const;

export type Role = (typeof ROLES)[number];

/** A role on some models; `*` is every model, and what belongs to no model. */
export type Grant = { readonly role: Role; readonly models: readonly string[] | '*' };

/** Who asks. */
export type Caller = {
  /**
   * `anonymous`, `key:NAME`, `user:NAME` or `certificate:NAME`, as in the ledger, logs and quotas: printable ASCII without spaces,
   * at most 256 characters.
   */
  readonly name: string;
  readonly grants: readonly Grant[];
};

/** A client certificate that TLS verified against `server.tls.clientCa`. */
export type ClientCertificate = {
  /** The subject's common name, where it has exactly one. */
  readonly commonName: string | undefined;
  /** The alternative names of kind DNS, in order. */
  readonly dnsNames: readonly string[];
  /** The alternative names of kind URI, such as SPIFFE ids, in order. */
  readonly uris: readonly string[];
};

/** What a browser's session sends with a request to the admin port. */
export type SessionCredentials = {
  /** Every value of the header `cookie`. */
  readonly cookie: readonly string[];
  /** Every value of the header `x-understudy-csrf`. */
  readonly csrf: readonly string[];
  /** Whether the request may change something: every method but GET and HEAD. */
  readonly isChange: boolean;
};

/** What came with a request that may say who asks: every value of each header, in order. */
export type Credentials = {
  /** The header, or metadata, `authorization`. */
  readonly authorization: readonly string[];
  /** The header, or metadata, `x-api-key`. */
  readonly apiKey: readonly string[];
  /** The certificate that TLS verified; undefined: none. */
  readonly certificate: ClientCertificate | undefined;
  /** Only on the admin port. */
  readonly session?: SessionCredentials | undefined;
};

/** A request without credentials. */
export const NO_CREDENTIALS: Credentials = {
  authorization: [],
  apiKey: [],
  certificate: undefined,
};

/** The one entrance of every protocol. */
export type Doors = {
  /**
   * Who asks; at once for keys, certificates and callers without credentials, later for a token that is seen for the first time. A
   * stream asks again for each message, so that a key that was revoked ends with it.
   * @throws ServeError `unauthenticated`, or rejects with it.
   */
  readonly identify: (credentials: Credentials) => Caller | Promise<Caller>;
  /**
   * @param model undefined: what is asked for belongs to no model.
   * @throws ServeError `forbidden`, with the same message whether there is such a model or not.
   */
  readonly check: (caller: Caller, role: Role, model: string | undefined) => void;
};

/** The value of HTTP's header `www-authenticate`, with every `unauthenticated`. */
export const CHALLENGE = 'Bearer realm="understudy"';

const ALL_ROLES: readonly Grant[] = [{ role: 'admin', models: '*' }];

/** Everyone, where the configuration has no section `auth`. */
export const ANYONE: Caller = { name: 'anonymous', grants: ALL_ROLES };

/** Lets everyone do all, as a gateway without a section `auth` does. */
export const OPEN_DOORS: Doors = { identify: () => ANYONE, check: checkRole };

/** What a role includes besides itself. */
const INCLUDED: Readonly<Record<Role, ReadonlySet<Role>>> = {
  infer: new Set(['infer']),
  label: new Set(['label']),
  view: new Set(['view']),
  operate: new Set(['infer', 'label', 'view', 'operate']),
  admin: new Set(ROLES),
};

/** Whether one of the caller's grants includes the role on the model; `undefined` needs a grant on `*`. */
export function hasRole({ grants }: Caller, role: Role, model: string | undefined): boolean {
  return grants.some(
    (grant) =>
      INCLUDED[grant.role].has(role) &&
      (grant.models === '*' || (model !== undefined && grant.models.includes(model))),
  );
}

/** @throws ServeError `forbidden` where the caller lacks the role. */
export function checkRole(caller: Caller, role: Role, model: string | undefined): void {
  if (hasRole(caller, role, model)) return;
  const where = model === undefined ? 'models: "*"' : `model ${JSON.stringify(model.slice(0, 80))}`;
  throw new ServeError(
    'forbidden',
    `expected a caller with the role ${role} on ${where}, found ${caller.name}`,
  );
}
