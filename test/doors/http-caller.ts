import { Agent, type ClientRequest, request } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import type { Headers } from './strangers.ts';

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
};

export type Sent = {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  /** Sent as JSON; text goes as it is. */
  readonly body?: object | string | undefined;
};

/** What clients of TLS know and show; undefined: the port has none. */
export type ClientTls =
  | { readonly ca: string; readonly cert?: string; readonly key?: string }
  | undefined;

/** Sends requests as they are given, headers that come twice and odd paths among them. */
export class HttpCaller {
  readonly #agent: Agent;
  readonly #port: number;
  readonly #isSecure: boolean;

  constructor(port: number, connections: number, tls?: ClientTls) {
    this.#port = port;
    this.#isSecure = tls !== undefined;
    const options = { keepAlive: true, maxSockets: connections };
    this.#agent = tls === undefined ? new Agent(options) : new SecureAgent({ ...options, ...tls });
  }

  send({ method, path, headers, body }: Sent): Promise<Answer> {
    const text = typeof body === 'object' ? JSON.stringify(body) : body;
    const bytes = text === undefined ? undefined : Buffer.from(text);
    const has = (name: string): boolean => headers.some(([each]) => each === name);
    const raw = [
      ...(has('host') ? [] : [['host', `127.0.0.1:${this.#port}`]]),
      ...headers,
      ...(bytes === undefined
        ? []
        : [
            ...(has('content-type') ? [] : [['content-type', 'application/json']]),
            ['content-length', `${bytes.length}`],
          ]),
    ].flat();
    return new Promise((resolve, reject) => {
      const sent: ClientRequest = (this.#isSecure ? secureRequest : request)({
        agent: this.#agent,
        host: '127.0.0.1',
        port: this.#port,
        method,
        path,
        headers: raw,
      });
      sent.on('error', reject);
      sent.on('response', (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }),
        );
        answer.on('error', reject);
      });
      sent.end(bytes);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
