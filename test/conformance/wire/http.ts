import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { isObject, type Json, parseJson } from './json.ts';

export type HttpRequest = {
  readonly method?: string;
  /** As it goes on the wire: already percent-encoded. */
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Uint8Array | string;
};

export type HttpAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body as JSON; undefined where it is none. */
  readonly json: Json | undefined;
};

const TIMEOUT_MS = 30_000;

/** Plain HTTP/1.1: what is sent is exactly what a case says, with no client library's repairs. */
export class HttpWire {
  readonly #base: URL;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string) {
    this.#base = new URL(url);
  }

  /** Rejects without an answer within 30 s. */
  send({ method = 'GET', path, headers = {}, body }: HttpRequest): Promise<HttpAnswer> {
    const { hostname, port, pathname } = this.#base;
    const content = typeof body === 'string' ? Buffer.from(body) : body;
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: hostname,
          port,
          method,
          path: pathname.replace(/\/$/, '') + path,
          agent: this.#agent,
          headers: { ...(content && lengthOf(content, headers)), ...headers },
          timeout: TIMEOUT_MS,
        },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (part: Buffer) => parts.push(part));
          answer.on('error', reject);
          answer.on('end', () => {
            const whole = Buffer.concat(parts);
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              body: whole,
              json: jsonOf(whole),
            });
          });
        },
      );
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
      sent.on('error', reject);
      sent.end(content);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The `error` of a body, as the protocol has it; undefined where there is none. */
export function errorOf({ json }: HttpAnswer): string | undefined {
  return isObject(json) && typeof json['error'] === 'string' ? json['error'] : undefined;
}

/** An answer in one readable line. */
export function describeAnswer(answer: HttpAnswer): string {
  return `${answer.status} ${answer.body.subarray(0, 160).toString('utf8')}`;
}

/** A body is sent with its length, unless the case sends it in chunks. */
function lengthOf(content: Uint8Array, headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return headers['transfer-encoding'] === undefined ? { 'content-length': content.length } : {};
}

function jsonOf(body: Buffer): Json | undefined {
  try {
    return parseJson(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
