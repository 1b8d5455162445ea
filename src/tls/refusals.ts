/** What is spoken above TLS (ALPN). */
export type AppProtocol = 'http/1.1' | 'h2';

const UPPER_A = 0x41;
const UPPER_Z = 0x5a;

const FOUND_PLAIN = 'expected TLS on this port (https://), found plain text';

/** What every client of HTTP/2 sends first (RFC 9113, 3.4). */
const HTTP2_PREFACE = 'PRI * HTTP/2.0';

/** RFC 9113, 7: the connection is not secure enough. */
const INADEQUATE_SECURITY = 0xc;
const SETTINGS = 0x4;
const GOAWAY = 0x7;

/** Whether a connection begins as HTTP does. */
export function looksPlain(bytes: Uint8Array): boolean {
  const [first = 0] = bytes;
  return first >= UPPER_A && first <= UPPER_Z;
}

/** What a client gets that speaks HTTP without TLS: over HTTP/2 a GOAWAY whose text its library shows. */
export function plainAnswer(bytes: Uint8Array, protocol: AppProtocol): Uint8Array {
  const begin = Buffer.from(bytes.subarray(0, HTTP2_PREFACE.length)).toString('latin1');
  if (protocol !== 'h2' || !HTTP2_PREFACE.startsWith(begin)) return refusalText(FOUND_PLAIN);
  const text = Buffer.from(FOUND_PLAIN);
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(INADEQUATE_SECURITY, 4);
  return Buffer.concat([
    frame(SETTINGS, Buffer.alloc(0)),
    frame(GOAWAY, Buffer.concat([numbers, text])),
  ]);
}

/** A refusal over HTTP/1.1, after which the connection closes. */
export function refusalText(error: string): Uint8Array {
  const body = JSON.stringify({ error, code: 'invalid_input' });
  return Buffer.from(
    'HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n' +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** A frame of stream 0 without flags. */
function frame(type: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.byteLength, 0, 3);
  head.writeUInt8(type, 3);
  return Buffer.concat([head, payload]);
}
