import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import type { Address } from '../nouns/wire.ts';
import { AnswerReader, type HttpAnswer } from './http-answer.ts';
import { tlsOptionsOf } from './tls-options.ts';

type Waiting = {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly onSettled: (() => void) | undefined;
};

/**
 * One HTTP/1.1 keep-alive connection, which writes requests that are already bytes. One request at a time: a load opens as
 * many connections as it wants requests in flight. It does far less than a real client so that the generator takes as little
 * processor time as possible from the server under test.
 */
export class HttpConnection {
  readonly #socket: Socket;
  readonly #reader = new AnswerReader();
  #waiting: Waiting | undefined;
  #failure: Error | undefined;

  /** Begins to connect; what is sent before that has succeeded waits for it. */
  constructor(address: Address) {
    const { host, port, tls } = address;
    const socket = tls
      ? connectSecure({
          ...tlsOptionsOf(address),
          host,
          port,
          ALPNProtocols: ['http/1.1'],
          ...(isIP(host) ? {} : { servername: host }),
        })
      : connectPlain({ host, port });
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#end());
    this.#socket = socket;
  }

  /** Rejects with the error of the socket, whose code says why. With TLS, the server's certificate must be trusted. */
  static open(address: Address): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const connection = new HttpConnection(address);
      connection.#socket.once('error', reject);
      connection.#socket.once(address.tls ? 'secureConnect' : 'connect', () => {
        connection.#socket.off('error', reject);
        resolve(connection);
      });
    });
  }

  get usable(): boolean {
    return this.#failure === undefined;
  }

  /**
   * Sends one request, given as its bytes. Rejects if the connection ends before the answer is whole. `onSettled` is called
   * before the code that awaits the answer continues: then the connection is free again, or closed.
   */
  request(bytes: Uint8Array, onSettled?: () => void): Promise<HttpAnswer> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#waiting) return Promise.reject(new Error('one request at a time'));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject, onSettled };
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#fail(new Error('closed by us'));
  }

  #receive(bytes: Buffer): void {
    if (!this.#waiting) {
      this.#fail(new Error('the server sent more than its answer'));
      return;
    }
    try {
      const answer = this.#reader.take(bytes);
      if (answer) this.#answer(answer);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #end(): void {
    const answer = this.#reader.end();
    if (answer) this.#answer(answer);
    this.#fail(new Error('the server closed the connection'));
  }

  #answer(answer: HttpAnswer): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (!this.#reader.keepsAlive) this.#fail(new Error('the server keeps no connection open'));
    waiting?.onSettled?.();
    waiting?.resolve(answer);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#socket.destroy();
    waiting?.onSettled?.();
    waiting?.reject(this.#failure);
  }
}

/** The bytes of one POST request. Header values must not contain line breaks. */
export function postBytes(options: {
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}): Buffer {
  const lines = [`POST ${options.path} HTTP/1.1`, `host: ${options.host}`];
  for (const [name, value] of Object.entries(options.headers)) lines.push(`${name}: ${value}`);
  lines.push(`content-length: ${options.body.byteLength}`, '', '');
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), options.body]);
}
