/**
 * The public keys of one issuer of tokens. They are fetched when the first token needs them, again once a token comes ten minutes
 * later, and for a token that names a key which they do not have; never more than once in ten seconds. Where the issuer does not
 * answer, the keys of its last answer count for a day.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { UnauthenticatedError } from './refusal.ts';

/** An issuer that takes a key back because it leaked is heard within this time. */
const FRESH_MS = 600_000;
const KEEP_MS = 86_400_000;
const PAUSE_MS = 10_000;
const KEYS_MAX = 100;

export type IssuerKeysOptions = {
  readonly issuer: string;
  /** The key set as JSON. */
  readonly load: () => Promise<unknown>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
  /** Called when the key set is another than before: what was verified with it is to be verified again. */
  readonly onChange: () => void;
};

type Held = { readonly find: JWTVerifyGetKey; readonly text: string; readonly loadedMs: number };

export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  #held: Held | undefined;
  #edition = 0;
  #triedMs = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;
  #problem: string | undefined;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  /** For `jwtVerify`. Headers that say where to find a key (`jku`, `x5u`, `jwk`) are not looked at. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const held = await this.#present();
    try {
      return await held.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.#load();
      const next = this.#held ?? held;
      if (next.text === held.text) throw error;
      return await next.find(header, token);
    }
  };

  /** Another number once the key set is another than before. */
  get edition(): number {
    return this.#edition;
  }

  /**
   * Whether what was verified with these keys still counts. Has them fetched again once they are old: otherwise tokens that are known
   * would outlive a key that was taken back, as long as no new token comes.
   */
  isCurrent(): boolean {
    if (this.#ageMs() > FRESH_MS) void this.#load();
    return this.#ageMs() <= KEEP_MS;
  }

  async #present(): Promise<Held> {
    if (this.#held === undefined || this.#ageMs() > FRESH_MS) await this.#load();
    const held = this.#held;
    if (held !== undefined && this.#ageMs() <= KEEP_MS) return held;
    throw new UnauthenticatedError(
      'issuer-down',
      'expected a token of an issuer whose keys are known; they cannot be fetched at present',
    );
  }

  #ageMs(): number {
    const { clock } = this.#options;
    return clock.monotonicMs() - (this.#held?.loadedMs ?? Number.NEGATIVE_INFINITY);
  }

  /** Fetches the keys, unless that was tried a moment ago. Never rejects. */
  async #load(): Promise<void> {
    const { clock } = this.#options;
    if (this.#loading === undefined) {
      if (clock.monotonicMs() - this.#triedMs < PAUSE_MS) return;
      this.#triedMs = clock.monotonicMs();
      this.#loading = this.#fetch().finally(() => {
        this.#loading = undefined;
      });
    }
    await this.#loading;
  }

  async #fetch(): Promise<void> {
    const { issuer, load, clock, log, onChange } = this.#options;
    try {
      const set = keySetIn(await load());
      const text = JSON.stringify(set);
      const isOther = this.#held !== undefined && this.#held.text !== text;
      this.#held = { find: createLocalJWKSet(set), text, loadedMs: clock.monotonicMs() };
      this.#problem = undefined;
      if (isOther) {
        this.#edition += 1;
        onChange();
      }
    } catch (error) {
      const problem = messageOf(error);
      if (problem === this.#problem) return;
      this.#problem = problem;
      const left =
        this.#held === undefined ? 'its tokens are refused' : 'its last keys count for up to a day';
      log({ level: 'error', message: `keys of the issuer ${issuer}: ${problem}; ${left}` });
    }
  }
}

function keySetIn(value: unknown): JSONWebKeySet {
  const keys =
    typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined;
  if (!Array.isArray(keys)) throw new Error('expected a JSON Web Key Set, found another JSON');
  if (keys.length > KEYS_MAX)
    throw new Error(`expected at most ${KEYS_MAX} keys, found ${keys.length}`);
  return { keys: keys.filter((key) => typeof key === 'object' && key !== null) };
}
