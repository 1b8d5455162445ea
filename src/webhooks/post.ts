import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

export type Post = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Certificates in place of the system's. */
  readonly ca: string | undefined;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly signal: AbortSignal;
};

export type Answer = {
  readonly status: number;
  /** As much of the body as was read. */
  readonly text: string;
  /** Milliseconds that the receiver asks to wait; undefined: it does not. */
  readonly retryAfterMs: number | undefined;
};

/** Of an answer's body; what is longer is not read. */
const ANSWER_BYTES_MAX = 4_096;

/**
 * Sends one request on a connection of its own. Once an answer's head is there it counts, however long, slow or broken its body is.
 * Redirects are not followed, and no proxy is used. Rejects where there is no answer within the limits, with an error that
 * never has the address.
 */
export function post({ url, headers, body, ca, signal, ...limits }: Post): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const bytes = Buffer.from(body);
    const request = send(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': bytes.length },
      agent: false,
      signal,
      ...(ca !== undefined && { ca }),
    });
    const { timeoutMs, connectTimeoutMs } = limits;
    // Once there is a head, any end is the answer's.
    let finish: (() => void) | undefined;
    const fail = (error: Error): void => (finish === undefined ? reject(error) : finish());
    const end = (error: Error): void => {
      fail(error);
      request.destroy();
    };
    const connecting = setTimeout(
      () => end(new Error(`no connection within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    const answering = setTimeout(
      () => end(new Error(`no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    request.once('socket', (socket) => {
      const event = send === httpsRequest ? 'secureConnect' : 'connect';
      socket.once(event, () => clearTimeout(connecting));
    });
    request.once('response', (response) => {
      clearTimeout(connecting);
      finish = readAnswer(response, resolve);
    });
    request.on('error', fail);
    request.once('close', () => {
      clearTimeout(connecting);
      clearTimeout(answering);
      fail(new Error('the connection was closed without an answer'));
    });
    request.end(bytes);
  });
}

/** Returns what ends the reading early. */
function readAnswer(response: IncomingMessage, resolve: (answer: Answer) => void): () => void {
  const { statusCode: status = 0, headers } = response;
  const chunks: Buffer[] = [];
  let bytes = 0;
  const done = (): void => {
    const text = Buffer.concat(chunks).subarray(0, ANSWER_BYTES_MAX).toString('utf8');
    resolve({ status, text, retryAfterMs: secondsIn(headers['retry-after']) });
    response.destroy();
  };
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= ANSWER_BYTES_MAX) done();
  });
  response.on('error', done);
  response.once('close', done);
  response.once('end', done);
  return done;
}

/** A date says nothing that a moment's more patience does not. */
function secondsIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : undefined;
}
