import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { messageOf } from '../core/errors.ts';
import { readText } from '../core/read-text.ts';
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

export type Answer = {
  readonly status: number;
  /** As the server wrote it; empty where it did not. */
  readonly contentType: string;
  readonly text: string;
};

/** A server took the request and has not answered in time: it may still do what it was asked. */
export class SlowAnswerError extends Error {}

/**
 * One request and its whole answer. Rejects with an Error that says in a few words why there is none, and with SlowAnswerError where
 * the server was reached.
 */
export async function exchange(exchange: Exchange): Promise<Answer> {
  const { method, url, body, msMax } = exchange;
  const signal = AbortSignal.timeout(msMax);
  const text = body === undefined ? undefined : JSON.stringify(body);
  const type = text === undefined ? {} : { 'content-type': 'application/json' };
  const headers = { ...exchange.headers, ...type };
  let isReached = false;
  const onReached = (): void => {
    isReached = true;
  };
  try {
    const options = { ...exchange.tls, method, headers, signal, agent: false };
    const response = await send(url, { options, onReached }, text);
    return {
      status: response.statusCode ?? 0,
      contentType: response.headers['content-type'] ?? '',
      text: await readText(response, BODY_BYTES_MAX),
    };
  } catch (error) {
    const late = `no whole answer within ${durationText(msMax)}`;
    if (signal.aborted) throw isReached ? new SlowAnswerError(late) : new Error(late);
    throw new Error(reasonOf(error), { cause: error });
  }
}

type Sending = { readonly options: RequestOptions; readonly onReached: () => void };

function send(
  url: string,
  { options, onReached }: Sending,
  body: string | undefined,
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
