/**
 * Sessions of browsers, in memory: they end with the process. A session is known by 256 random bits in a cookie that scripts cannot
 * read and that no other site can make the browser send; a change needs a second secret, in a header. It ends when it was not used for half
 * an hour, twelve hours after it began, and at once when the key or token that it was opened with no longer counts.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Caller, SessionCredentials } from '../core/caller.ts';
import type { Clock } from '../core/clock.ts';
import { ServeError } from '../core/errors.ts';
import type { SessionView } from '../core/session.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import { UnauthenticatedError } from './refusal.ts';

const IDLE_MS = 1_800_000;
const WHOLE_MS = 43_200_000;

/** Of all callers; beyond, the one that was not used for longest ends. */
const SESSIONS_MAX = 1_000;
const OF_ONE_CALLER_MAX = 20;

/** Of one caller: each leaves a record on the ledger. */
const OPENINGS_A_MINUTE = 10;
const OPENINGS = { perSecond: OPENINGS_A_MINUTE / 60, burst: OPENINGS_A_MINUTE };

/** Browsers take the first over TLS only, for this host and all paths, from no other host. */
export const SECURE_COOKIE = '__Host-understudy';
export const PLAIN_COOKIE = 'understudy';

type Session = {
  readonly csrf: string;
  readonly cookie: string;
  readonly openedMs: number;
  readonly untilMs: number;
  readonly name: string;
  /** @throws UnauthenticatedError where its key or token no longer counts. */
  readonly current: () => Caller;
  usedMs: number;
};

export type OpenedSession = SessionView & { readonly setCookie: string };

export class Sessions {
  readonly #clock: Pick<Clock, 'monotonicMs' | 'wallMs'>;
  /** By the digest of the secret in the cookie, the one used last at the end. */
  readonly #sessions = new Map<string, Session>();
  /** By caller, the one that signed in last at the end. */
  readonly #openings = new Map<string, TokenBucket>();

  constructor(clock: Pick<Clock, 'monotonicMs' | 'wallMs'>) {
    this.#clock = clock;
  }

  /** @throws ServeError `rate_limited` */
  open(current: () => Caller, isSecure: boolean): OpenedSession {
    const caller = current();
    const { name } = caller;
    const nowMs = this.#clock.monotonicMs();
    this.#countOpening(name, nowMs);
    this.#makeRoom(name, nowMs);
    const [secret, csrf] = [freshSecret(), freshSecret()];
    const cookie = isSecure ? SECURE_COOKIE : PLAIN_COOKIE;
    const untilMs = this.#clock.wallMs() + WHOLE_MS;
    this.#sessions.set(digestOf(secret), {
      ...{ csrf, cookie, current, name, untilMs },
      ...{ openedMs: nowMs, usedMs: nowMs },
    });
    const setCookie = `${cookie}=${secret}; Max-Age=${WHOLE_MS / 1_000}; ${attributes(isSecure)}`;
    return { caller, csrf, untilMs, setCookie };
  }

  /** @throws UnauthenticatedError where there is no such session, or a change comes without its second secret. */
  use(cookie: string, secret: string, { csrf, isChange }: SessionCredentials): SessionView {
    const { key, session } = this.#find(cookie, secret);
    let caller: Caller;
    try {
      caller = session.current();
    } catch (error) {
      this.#sessions.delete(key);
      throw error;
    }
    if (isChange && !isSame(csrf, session.csrf)) {
      throw new UnauthenticatedError(
        'csrf',
        'expected the header x-understudy-csrf of this session with a change, found none or another',
      );
    }
    session.usedMs = this.#clock.monotonicMs();
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    return { caller, csrf: session.csrf, untilMs: session.untilMs };
  }

  /** Ends a session, and gives the header that clears its cookie. */
  close(cookie: string, secret: string): string {
    this.#sessions.delete(digestOf(secret));
    return `${cookie}=; Max-Age=0; ${attributes(cookie === SECURE_COOKIE)}`;
  }

  #find(cookie: string, secret: string): { readonly key: string; readonly session: Session } {
    const key = digestOf(secret);
    const session = this.#sessions.get(key);
    if (session !== undefined && session.cookie === cookie) {
      if (!this.#isOver(session, this.#clock.monotonicMs())) return { key, session };
      this.#sessions.delete(key);
    }
    throw new UnauthenticatedError(
      'session',
      'expected the cookie of a session, found one that has ended or never began. Sign in again',
    );
  }

  #isOver({ usedMs, openedMs }: Session, nowMs: number): boolean {
    return nowMs - usedMs > IDLE_MS || nowMs - openedMs > WHOLE_MS;
  }

  #countOpening(name: string, nowMs: number): void {
    const bucket = this.#openings.get(name) ?? new TokenBucket(nowMs);
    const retryAfterMs = bucket.take(OPENINGS, nowMs);
    if (retryAfterMs > 0) {
      throw new ServeError(
        'rate_limited',
        `expected at most ${OPENINGS_A_MINUTE} sign-ins of one caller in a minute`,
        { retryAfterMs },
      );
    }
    this.#openings.delete(name);
    this.#openings.set(name, bucket);
    for (const [other, held] of this.#openings) {
      if (!held.isFull(OPENINGS, nowMs)) break;
      this.#openings.delete(other);
    }
  }

  #makeRoom(name: string, nowMs: number): void {
    let own = 0;
    for (const session of this.#sessions.values()) if (session.name === name) own += 1;
    for (const [key, session] of this.#sessions) {
      const isOwnTooMany = session.name === name && own >= OF_ONE_CALLER_MAX;
      const isTooMany = this.#sessions.size >= SESSIONS_MAX;
      if (!isOwnTooMany && !isTooMany && !this.#isOver(session, nowMs)) continue;
      if (session.name === name) own -= 1;
      this.#sessions.delete(key);
    }
  }
}

function attributes(isSecure: boolean): string {
  return `Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}

function freshSecret(): string {
  return randomBytes(32).toString('base64url');
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

/** Digests of all texts have one length. */
function isSame(found: readonly string[], expected: string): boolean {
  const [text = ''] = found;
  const isRight = timingSafeEqual(Buffer.from(digestOf(text)), Buffer.from(digestOf(expected)));
  return isRight && found.length === 1;
}
