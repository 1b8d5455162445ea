import { Agent, request } from 'node:http';
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
  readonly body?: object | undefined;
};

/** Sends requests as they are given, headers that come twice and odd paths among them. */
export class HttpCaller {
  readonly #agent: Agent;
  readonly #port: number;

  constructor(port: number, connections: number) {
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  send({ method, path, headers, body }: Sent): Promise<Answer> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const raw = [
      ['host', `127.0.0.1:${this.#port}`],
      ...headers,
      ...(bytes === undefined
        ? []
        : [
            ['content-type', 'application/json'],
            ['content-length', `${bytes.length}`],
          ]),
    ].flat();
    return new Promise((resolve, reject) => {
      const sent = request({
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
