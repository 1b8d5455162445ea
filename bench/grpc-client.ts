/**
 * A closed loop of gRPC calls on bare HTTP/2: a library's client would cost more than the servers that it should measure. Its
 * windows are wide, so that it never holds an answer up. Started with `fork`; answers each load with a report.
 */
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { systemClock } from '../src/core/clock.ts';
import type { GrpcLoad, GrpcReport } from './grpc-message.ts';

const STREAM_WINDOW_BYTES = 8 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 64 * 1024 * 1024;
/** In front of each message: a byte that says it is not compressed, and its length. */
const PREFIX_BYTES = 5;

process.on('message', (load: GrpcLoad) => {
  void run(load).then((report) => process.send?.(report));
});
// The bench is gone.
process.on('disconnect', () => process.exit());

async function run(load: GrpcLoad): Promise<GrpcReport> {
  const session = connect(`http://127.0.0.1:${load.port}`, {
    settings: { initialWindowSize: STREAM_WINDOW_BYTES, enablePush: false },
  });
  session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
  const loop = new Loop(session, load);
  try {
    return await loop.run();
  } finally {
    session.close();
  }
}

class Loop {
  readonly #session: ClientHttp2Session;
  readonly #load: GrpcLoad;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #body: Buffer;
  readonly #startMs: number;
  readonly #endMs: number;
  #ok = 0;
  #failure: string | undefined;

  constructor(session: ClientHttp2Session, load: GrpcLoad) {
    this.#session = session;
    this.#load = load;
    this.#headers = {
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: load.path,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
    };
    this.#body = prefixed(Buffer.from(load.messageBase64, 'base64'));
    this.#startMs = systemClock.monotonicMs() + load.warmupMs;
    this.#endMs = this.#startMs + load.durationMs;
  }

  async run(): Promise<GrpcReport> {
    await Promise.all(Array.from({ length: this.#load.callsInFlight }, () => this.#callAgain()));
    const perSecond = this.#ok / (this.#load.durationMs / 1000);
    return { ok: this.#ok, failure: this.#failure, perSecond };
  }

  /** One call after another until the time is over, or something fails. */
  async #callAgain(): Promise<void> {
    while (this.#failure === undefined && systemClock.monotonicMs() < this.#endMs) {
      const status = await this.#call();
      const nowMs = systemClock.monotonicMs();
      if (status !== '0') this.#failure ??= status;
      else if (nowMs >= this.#startMs && nowMs < this.#endMs) this.#ok += 1;
    }
  }

  /** Resolves with the call's status once all of the answer has come; `0` is OK, and then there was a message. */
  #call(): Promise<string> {
    return new Promise((resolve) => {
      const stream = this.#session.request(this.#headers);
      let bytes = 0;
      let status = 'no status';
      const note = (headers: IncomingHttpHeaders): void => {
        const code = headers['grpc-status'];
        if (code === undefined) return;
        status = code === '0' ? '0' : `status ${String(code)}: ${String(headers['grpc-message'])}`;
      };
      stream.on('response', note);
      stream.on('trailers', note);
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength;
      });
      stream.on('error', (error) => {
        status = error.message;
      });
      stream.on('close', () => resolve(status === '0' && bytes < PREFIX_BYTES ? 'empty' : status));
      stream.end(this.#body);
    });
  }
}

function prefixed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
}
