/** What is spoken above TLS (ALPN). */
export type AppProtocol = 'http/1.1' | 'h2';

const UPPER_A = 0x41;
const UPPER_Z = 0x5a;

/** Whether a connection begins as HTTP does. */
export function looksPlain(bytes: Uint8Array): boolean {
  const [first = 0] = bytes;
  return first >= UPPER_A && first <= UPPER_Z;
}

/**
 * What a client gets that speaks HTTP without TLS. Clients of gRPC get HTTP/1.1 too, which their libraries recognise as a server that is none of
 * gRPC, so that a call fails at once. (After a GOAWAY, which could hold the text, grpc-core connects again every millisecond until its
 * deadline.)
 */
export const PLAIN_REFUSAL = refusalText('expected TLS on this port (https://), found plain text');

/** A refusal over HTTP/1.1, after which the connection closes. */
export function refusalText(error: string): Uint8Array {
  const body = JSON.stringify({ error, code: 'invalid_input' });
  return Buffer.from(
    'HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n' +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
