import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Webhook } from '../core/webhook.ts';
import { type Answer, post } from './post.ts';
import { keyOf, signedHeaders } from './sign.ts';
import type { SmallFiles } from './small-files.ts';

export type EndpointOptions = {
  readonly hook: Webhook;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Of the environment, by name. */
  readonly variables: Readonly<Record<string, string>>;
  /** The program's version. */
  readonly version: string;
  readonly files: Pick<SmallFiles, 'text'>;
};

/** What is sent. */
export type Message = {
  readonly id: string;
  readonly body: string;
  /** The span that it belongs to; undefined: none. */
  readonly traceparent: string | undefined;
};

const SECRET_FILE_BYTES_MAX = 16_384;
const CA_FILE_BYTES_MAX = 1_048_576;

/**
 * One receiver. Its secrets, certificates and address are read again for each request, so that what rotates in a file takes
 * effect without a restart. Nothing is sent unsigned where a secret is configured.
 */
export class Endpoint {
  readonly #options: EndpointOptions;

  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  /** Rejects where there is no answer, or where something that the request needs cannot be read. */
  async send({ id, body, traceparent }: Message, signal: AbortSignal): Promise<Answer> {
    const { hook, clock, version } = this.#options;
    const { timeoutMs, connectTimeoutMs } = hook;
    const url = await this.#url();
    const ca = await this.#ca();
    const timestamp = Math.floor(clock.wallMs() / 1_000);
    const headers = {
      'content-type': 'application/json',
      'user-agent': `understudy/${version}`,
      ...signedHeaders({ id, timestamp, body }, await this.#keys()),
      ...(traceparent !== undefined && { traceparent }),
    };
    return post({ url, headers, body, ca, timeoutMs, connectTimeoutMs, signal });
  }

  /** Why nothing could be sent as things stand; undefined: it could. */
  async problem(): Promise<string | undefined> {
    try {
      await this.#url();
      await this.#ca();
      await this.#keys();
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  async #url(): Promise<string> {
    const { hook, files } = this.#options;
    if ('url' in hook.address) return hook.address.url;
    const { file } = hook.address;
    const text = (await files.text(file, SECRET_FILE_BYTES_MAX)).trim();
    if (/^https?:\/\/[^\s]+$/.test(text) && URL.canParse(text)) return text;
    throw new Error(`${file}: expected one address such as https://hooks.example.com/x`);
  }

  async #ca(): Promise<string | undefined> {
    const { hook, files } = this.#options;
    return hook.caFile === undefined ? undefined : files.text(hook.caFile, CA_FILE_BYTES_MAX);
  }

  async #keys(): Promise<readonly Buffer[]> {
    const { hook, variables, files } = this.#options;
    const keys = hook.secretVariables.map((name) => keyIn(`variable ${name}`, variables[name]));
    for (const file of hook.secretFiles) {
      const lines = (await files.text(file, SECRET_FILE_BYTES_MAX)).split(/\r?\n/);
      keys.push(keyIn(file, lines[0]));
    }
    return keys;
  }
}

function keyIn(where: string, secret: string | undefined): Buffer {
  const text = secret?.trim() ?? '';
  try {
    return keyOf(text);
  } catch (error) {
    throw new Error(`${where}: ${messageOf(error)}`);
  }
}
