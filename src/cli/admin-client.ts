import { messageOf } from '../core/errors.ts';
import { hostOf, readAdminAddress } from './admin-address.ts';
import { expectPrivate, readApiCredential } from './api-credential.ts';
import {
  type Answer,
  type BytesAnswer,
  exchange,
  exchangeBytes,
  SlowAnswerError,
} from './exchange.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { readTlsFiles, type TlsFileOptions, type TlsFileTexts } from './tls-files.ts';

/** Longer than most answers of the admin API take. */
const TIMEOUT_MS = 30_000;

/** Done, and begun. */
const OK: ReadonlySet<number> = new Set([200, 202]);

/** Characters of an answer that is none of ours: enough to see whose it is. */
const SHOWN_LENGTH_MAX = 80;

const MODELS = '"understudy models" lists what there is.';

/** What to do about a refusal, by its code, where its message does not say. */
const HINTS: Readonly<Record<string, string>> = {
  model_not_found: MODELS,
  unknown_model: MODELS,
  version_not_found: MODELS,
  unknown_version: MODELS,
  no_rollout: '"understudy rollout start" begins one.',
  unauthenticated:
    'Name a file with an API key by --api-key-file, or set UNDERSTUDY_API_KEY; "understudy keys create" makes one.',
  forbidden: '"understudy keys list" shows what keys may do.',
  not_found: 'Is the gateway of another version than this command?',
};

/** The options of a command that asks a gateway. */
export type GatewayOptions = TlsFileOptions & {
  /** `--admin` */
  readonly admin?: string;
  /** `--api-key-file` */
  readonly apiKeyFile?: string;
  /** `--allow-plaintext` */
  readonly allowPlaintext?: boolean;
};

type BytesSent = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};

type Call = {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly msMax: number;
  readonly keys: readonly string[];
};

/** Talks to the admin API of a running gateway. Rejects with a CommandError whose message is ready to be shown. */
export class AdminClient {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #tls: TlsFileTexts;

  /** @throws CommandError `usage` for an address, a key or a file of TLS that is none. */
  constructor({ admin, apiKeyFile, allowPlaintext, ...files }: GatewayOptions) {
    const address = readAdminAddress(admin);
    this.#url = address.href.replace(/\/$/, '');
    const isSecure = address.protocol === 'https:';
    this.#tls = readTlsFiles(files, { isSecure, address: address.href });
    const credential = readApiCredential(apiKeyFile);
    if (credential !== undefined)
      expectPrivate({ host: hostOf(address), isSecure }, allowPlaintext);
    this.#headers = credential === undefined ? {} : { authorization: `Bearer ${credential}` };
  }

  /** `keys` must be in the answer: what has them not comes from another server. */
  get(path: string, keys: readonly string[] = []): Promise<unknown> {
    return this.#call({ method: 'GET', path, body: undefined, msMax: TIMEOUT_MS, keys });
  }

  /** Waits `msMax` milliseconds for the answer, 30 s by default. */
  post(path: string, body: unknown, msMax = TIMEOUT_MS): Promise<unknown> {
    return this.#call({ method: 'POST', path, body, msMax, keys: [] });
  }

  put(path: string, body: unknown): Promise<unknown> {
    return this.#call({ method: 'PUT', path, body, msMax: TIMEOUT_MS, keys: [] });
  }

  delete(path: string): Promise<unknown> {
    return this.#call({ method: 'DELETE', path, body: undefined, msMax: TIMEOUT_MS, keys: [] });
  }

  /** A request whose answer is no JSON; `sent`: posts it. Any status is an answer. */
  async bytes(path: string, sent?: BytesSent): Promise<BytesAnswer> {
    const method = sent === undefined ? 'GET' : 'POST';
    const headers = { ...this.#headers, ...sent?.headers };
    const [url, body] = [this.#url + path, sent?.body];
    return await this.#reached(method, () =>
      exchangeBytes({ ...{ method, url, headers, body }, tls: this.#tls, msMax: TIMEOUT_MS }),
    );
  }

  async #call(call: Call): Promise<unknown> {
    const answer = await this.#exchange(call);
    const value = parseJson(answer.text);
    const hasKeys = isObject(value) && call.keys.every((key) => Object.hasOwn(value, key));
    if (OK.has(answer.status) && hasKeys) return value;
    if (!isErrorBody(value)) throw this.#foreign(answer);
    const hint = HINTS[value.code];
    throw new CommandError(
      answer.status === 400 ? EXIT.usage : EXIT.failed,
      hint === undefined ? value.error : `${value.error}. ${hint}`,
    );
  }

  #exchange({ method, path, body, msMax }: Call): Promise<Answer> {
    const url = this.#url + path;
    return this.#reached(method, () =>
      exchange({ method, url, headers: this.#headers, tls: this.#tls, body, msMax }),
    );
  }

  async #reached<T>(method: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof SlowAnswerError) throw this.#slow(error, method);
      throw new CommandError(
        EXIT.unreachable,
        `no gateway answers at ${this.#url}: ${messageOf(error)}. Is it running? Start it with "understudy serve", or name its admin address with --admin or UNDERSTUDY_ADMIN.`,
        { cause: error },
      );
    }
  }

  /** There is a gateway, and what becomes of the command is not known. */
  #slow(cause: SlowAnswerError, method: string): CommandError {
    const next =
      method === 'GET' ? 'Try again' : 'What was asked for may still be carried out: look first';
    return new CommandError(
      EXIT.failed,
      `the gateway at ${this.#url} is there and busy: ${cause.message}. ${next} ("understudy rollout get", "understudy models").`,
      { cause },
    );
  }

  /** Another server, or another port of a gateway. */
  #foreign({ status, contentType, text }: Answer): CommandError {
    const kind = contentType === '' ? 'an answer of no content type' : contentType;
    const start = text.trim().replace(/\s+/g, ' ').slice(0, SHOWN_LENGTH_MAX);
    return new CommandError(
      EXIT.unreachable,
      `expected the admin API of a gateway at ${this.#url}, found another server: status ${status}, ${kind}${start === '' ? '' : `, "${start}"`}. Is it the admin port? It is the one that server.admin configures, 8002 by default.`,
    );
  }
}

/**
 * The path of a model in the admin API.
 *
 * @throws CommandError `usage` for what would lead to another path.
 */
export function modelPath(model: string): string {
  if (['', '.', '..'].includes(model))
    throw new CommandError(EXIT.usage, `expected the name of a model, found "${model}". ${MODELS}`);
  return `/api/v1/models/${encodeURIComponent(model)}`;
}

/** The path of a model's rollout in the admin API. */
export function rolloutPath(model: string): string {
  return `${modelPath(model)}/rollout`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Every refusal of the admin API has a message and a code; those of other servers do not. */
function isErrorBody(value: unknown): value is { readonly error: string; readonly code: string } {
  return (
    isObject(value) &&
    'error' in value &&
    typeof value.error === 'string' &&
    'code' in value &&
    typeof value.code === 'string'
  );
}
