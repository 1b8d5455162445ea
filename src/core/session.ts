import type { Caller, Credentials } from './caller.ts';

/** A browser's session as its page sees it. */
export type SessionView = {
  readonly caller: Caller;
  /** Sent in the header `x-understudy-csrf` with every change; undefined where the caller came without a session. */
  readonly csrf: string | undefined;
  /** When it ends at the latest, in milliseconds of the wall clock; use may end it before. Undefined: without a session. */
  readonly untilMs: number | undefined;
};

/** Sessions of browsers on the admin port: signed in to with an API key or a token, then known by a cookie. */
export type SessionDoor = {
  /**
   * Signs in.
   * @param isSecure whether the connection is TLS: then the cookie goes over TLS only.
   * @throws ServeError `unauthenticated` where there is no such key or token, `rate_limited` where one caller signs in too often.
   */
  readonly open: (
    credentials: Credentials,
    isSecure: boolean,
  ) => Promise<SessionView & { readonly setCookie: string }>;
  /** Who asks, by a session or otherwise. @throws ServeError `unauthenticated` */
  readonly view: (credentials: Credentials) => Promise<SessionView>;
  /** Signs out, and gives the header that clears the cookie. @throws ServeError `unauthenticated` where there is no session. */
  readonly close: (credentials: Credentials) => {
    readonly caller: Caller;
    readonly setCookie: string;
  };
};
