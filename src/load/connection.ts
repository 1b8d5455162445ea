import { connect, type Socket } from 'node:net';

/** The parts of an answer that a load looks at. */
export type HttpAnswer = {
  readonly status: number;
  /** The raw head, for `headerOf`. */
  readonly head: string;
  readonly body: Buffer;
};

type Waiting = {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
};

const HEAD_BYTES_MAX = 64 * 1024;
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/**
 * One HTTP/1.1 keep-alive connection which writes requests that are already bytes and reads answers with a content length.
 * One request at a time: a load opens as many connections as it wants requests in flight. It does far less than a real
 * client so that the generator costs as little as possible beside the server under test.
 */
export class Connection {
  readonly #socket: Socket;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #neededBytes = 0;
  #waiting: Waiting | undefined;
  #failure: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  static open(host: string, port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Connection(socket));
      });
    });
  }

  get usable(): boolean {
    return this.#failure === undefined;
  }

  /** Sends one request, given as its bytes. Rejects if the connection ends before the answer is whole. */
  request(bytes: Uint8Array): Promise<HttpAnswer> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#waiting) return Promise.reject(new Error('one request at a time'));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#failure ??= new Error('closed by us');
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes < this.#neededBytes) return;
    const whole = this.#received.length === 1 ? chunk : Buffer.concat(this.#received);
    this.#received = [whole];
    const headEnd = whole.indexOf(END_OF_HEAD);
    if (headEnd < 0) {
      if (whole.length > HEAD_BYTES_MAX)
        this.#fail(new Error('the answer has no end of head within 64 KiB'));
      return;
    }
    const head = whole.toString('latin1', 0, headEnd);
    const bodyStart = headEnd + END_OF_HEAD.length;
    const bodyBytes = Number(headerOf(head, 'content-length') ?? 0);
    this.#neededBytes = bodyStart + bodyBytes;
    if (whole.length < this.#neededBytes) return;
    this.#answer({
      status: Number(head.slice(9, 12)),
      head,
      body: whole.subarray(bodyStart, this.#neededBytes),
    });
  }

  #answer(answer: HttpAnswer): void {
    const waiting = this.#waiting;
    this.#received = [];
    this.#receivedBytes = 0;
    this.#neededBytes = 0;
    this.#waiting = undefined;
    waiting?.resolve(answer);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
    this.#socket.destroy();
  }
}

/** The value of a header in a raw head; undefined if it is not there. Names are compared without case. */
export function headerOf(head: string, name: string): string | undefined {
  const at = head.toLowerCase().indexOf(`\r\n${name.toLowerCase()}:`);
  if (at < 0) return undefined;
  const start = at + name.length + 3;
  const end = head.indexOf('\r\n', start);
  return head.slice(start, end < 0 ? undefined : end).trim();
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
