import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Target } from './target.ts';

/** How long a server may take to close a connection on which nothing more comes. */
const MS_MAX = 10_000;

/** What a proxy and a server may read in two ways. `%` stands for the request that is hidden in the body. */
const ENVELOPES: Readonly<Record<string, string>> = {
  'a length beside chunks': 'content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n%',
  'chunks beside a length': 'transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n%',
  'two lengths': 'content-length: 0\r\ncontent-length: 40\r\n\r\n%',
  'two lengths in one': 'content-length: 0, 40\r\n\r\n%',
  'a length with a sign': 'content-length: +0\r\n\r\n%',
  'a negative length': 'content-length: -1\r\n\r\n%',
  'a length in hexadecimal': 'content-length: 0x0\r\n\r\n%',
  'a space before the colon': 'content-length : 0\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n%',
  'a folded header': 'transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n%',
  'an unknown encoding': 'transfer-encoding: xchunked\r\n\r\n0\r\n\r\n%',
  'two encodings': 'transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n%',
  'chunked not last': 'transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n%',
  'a line that ends with LF alone': 'x: a\ncontent-length: 0\n\n%',
  'a return within a header': 'x: a\rtransfer-encoding: chunked\r\n\r\n0\r\n\r\n%',
  'a zero within a header': 'x: a\0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n%',
  'a header without a name': ': chunked\r\n\r\n%',
  'a chunk of a size with text': 'transfer-encoding: chunked\r\n\r\n0x0\r\n\r\n%',
  'a chunk of too large a size': 'transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n%',
  'a chunk that is longer than it says': 'transfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n%',
};

/**
 * Requests without a credential whose body hides one with a good key, as a proxy that reads the first differently would pass it on for
 * another client. The hidden one must not be answered.
 */
export async function smuggle(target: Target): Promise<readonly string[]> {
  const faults: string[] = [];
  const { http, admin, metrics } = target.ports;
  const paths: readonly (readonly [number, string, string])[] = [
    [http, '/v2/models/fashion/infer', '/v2/models/fashion'],
    [admin, '/api/v1/models/fashion/rollout/abort', '/api/v1/models'],
    [metrics, '/metrics', '/metrics'],
  ];
  for (const [port, outer, hidden] of paths)
    for (const [what, envelope] of Object.entries(ENVELOPES)) {
      const key = `x-api-key: ${target.place.keys.admin}`;
      const inner = `GET ${hidden} HTTP/1.1\r\nhost: localhost\r\n${key}\r\n\r\n`;
      const head = `POST ${outer} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
      const text = await tell(target, port, head + envelope.replace('%', () => inner));
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) =>
        Number(status),
      );
      if (statuses.some((status) => status < 400))
        faults.push(`port ${port}: ${what}: answered with ${statuses}`);
    }
  return faults;
}

/** Sends bytes and ends, and gives all that comes back. */
function tell({ place }: Target, port: number, text: string): Promise<string> {
  const host = '127.0.0.1';
  return new Promise((resolve) => {
    const socket: Socket =
      place.tls === undefined
        ? connect({ host, port })
        : connectTls({ host, port, ca: place.tls.client.ca, ALPNProtocols: ['http/1.1'] });
    let heard = '';
    const timer = setTimeout(() => socket.destroy(), MS_MAX);
    socket.setEncoding('latin1').on('data', (part: string) => {
      heard += part;
    });
    // A reset after the answer is one way to refuse.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(heard);
    });
    socket.end(Buffer.from(text, 'latin1'));
  });
}
