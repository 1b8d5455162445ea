import {
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { messageOf } from '../core/errors.ts';
import { readBytes } from '../core/read-text.ts';
import { durationText } from '../core/text.ts';

/** More than any answer of the admin API; what sends more is something else. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;

export type Exchange = {
  readonly method: string;
  readonly url: string;
  /** Sent besides those of the body. */
  readonly headers: Readonly<Record<string, string>>;
  /** Authorities that are trusted and the client's own certificate, in PEM; only for `https:`. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Sent as JSON; undefined: no body. */
  readonly body: unknown;
  /** Milliseconds for all of it, connecting included. */
  readonly msMax: number;
};

/** A request and an answer of bytes. */
export type BytesExchange = Omit<Exchange, 'body'> & { readonly body: Uint8Array | undefined };

export type BytesAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
};

export type Answer = {
  readonly status: number;
  /** As the server wrote it; empty where it did not. */
  readonly contentType: string;
  readonly text: string;
  /** Milliseconds that the server asks to wait, by its header `retry-after`; undefined: it does not. */
  readonly retryAfterMs?: number | undefined;
};

/** A server took the request and has not answered in time: it may still do what it was asked. */
export class SlowAnswerError extends Error {}

/**
 * One request and its whole answer. Rejects with an Error that says in a few words why there is none, and with SlowAnswerError where
 * the server was reached.
 */
export async function exchange({ body, headers, ...rest }: Exchange): Promise<Answer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const type = text === undefined ? {} : { 'content-type': 'application/json' };
  const answer = await exchangeBytes({
    ...rest,
    headers: { ...headers, ...type },
    body: text === undefined ? undefined : Buffer.from(text),
  });
  const { status, headers: answered, bytes } = answer;
  const content = { contentType: answered['content-type'] ?? '', text: bytes.toString() };
  return { status, ...content, ...retryAfterOf(answered['retry-after']) };
}

/** The same for a body and an answer of any content type. */
export async function exchangeBytes(exchange: BytesExchange): Promise<BytesAnswer> {
  const { method, url, body, headers, msMax } = exchange;
  const signal = AbortSignal.timeout(msMax);
  let isReached = false;
  const onReached = (): void => {
    isReached = true;
  };
  try {
    const options = { ...exchange.tls, method, headers, signal, agent: false };
    const response = await send(url, { options, onReached }, body);
    const bytes = await readBytes(response, BODY_BYTES_MAX);
    return { status: response.statusCode ?? 0, headers: response.headers, bytes };
  } catch (error) {
    const late = `no whole answer within ${durationText(msMax)}`;
    if (signal.aborted) throw isReached ? new SlowAnswerError(late) : new Error(late);
    throw new Error(reasonOf(error), { cause: error });
  }
}

/** Only in seconds: dates are of servers of another kind. */
function retryAfterOf(header: string | undefined): Pick<Answer, 'retryAfterMs'> {
  return header !== undefined && /^\d{1,6}$/.test(header)
    ? { retryAfterMs: Number(header) * 1_000 }
    : {};
}

type Sending = { readonly options: RequestOptions; readonly onReached: () => void };

function send(
  url: string,
  { options, onReached }: Sending,
  body: Uint8Array | undefined,
): Promise<IncomingMessage> {
  const [start, reached] = url.startsWith('https:')
    ? ([httpsRequest, 'secureConnect'] as const)
    : ([httpRequest, 'connect'] as const);
  return new Promise((resolve, reject) => {
    start(url, options, resolve)
      .on('error', reject)
      .on('socket', (socket) => socket.once(reached, onReached))
      .end(body);
  });
}

/** The certificate of the server leads to no authority that is trusted. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** The reason in words that need no knowledge of Node's. */
function reasonOf(error: unknown): string {
  // A name with several addresses fails with an error for each of them, and a message of its own that is empty.
  if (error instanceof AggregateError) return [...new Set(error.errors.map(messageOf))].join('; ');
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_')) return `what answers there does not speak HTTP (${code})`;
  if (/^(EPROTO|ERR_SSL_.*)$/.test(code)) return `what answers there does not speak TLS (${code})`;
  if (UNTRUSTED.has(code))
    return `${messageOf(error)} (${code}). Name the authority of its certificate with --ca-file`;
  if (messageOf(error) === 'aborted') return 'the answer broke off';
  return messageOf(error);
}
