/** What no client sends: the smallest parts of both protocols, without end. */

/** The first bytes of a connection, and those that follow; `at` counts from 0. */
export type Flood = {
  readonly wire: 'http' | 'grpc';
  readonly first: Buffer;
  readonly next: (at: number) => Buffer;
};

const DATA = 0;
const HEADERS = 1;
const RESET = 3;
const SETTINGS = 4;
const PING = 6;
const CONTINUATION = 9;
const END_HEADERS = 4;

/** Its type, its flags and its stream, and what it holds. */
type Head = readonly [type: number, flags: number, stream: number];

function frame([type, flags, stream]: Head, payload?: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload?.length ?? 0, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return payload === undefined ? head : Buffer.concat([head, payload]);
}

/** A header in HPACK's plainest form. */
function header(name: string, value: string): Buffer {
  const [key, text] = [Buffer.from(name), Buffer.from(value)];
  return Buffer.concat([Buffer.from([0, key.length]), key, Buffer.from([text.length]), text]);
}

const CALL = Buffer.concat([
  // `:method: POST` and `:scheme: http`, by their places in the table.
  Buffer.from([0x83, 0x86]),
  header(':path', '/inference.GRPCInferenceService/ModelInfer'),
  header(':authority', 'localhost'),
  header('content-type', 'application/grpc'),
  header('te', 'trailers'),
]);

const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame([SETTINGS, 0, 0]),
]);

function overGrpc(next: Flood['next'], first: Buffer = Buffer.alloc(0)): Flood {
  return { wire: 'grpc', first: Buffer.concat([PREFACE, first]), next };
}

function overHttp(head: string, unit: string): Flood {
  const again = Buffer.from(unit);
  return { wire: 'http', first: Buffer.from(head), next: () => again };
}

const opened = frame([HEADERS, END_HEADERS, 1], CALL);
const begun = frame([HEADERS, 0, 1], CALL);
/** The length of a message of some megabytes. */
const announced = frame([DATA, 0, 1], Buffer.from([0, 0, 15, 0, 0]));

export const GRPC_FLOODS: Readonly<Record<string, Flood>> = {
  pings: overGrpc(() => frame([PING, 0, 0], Buffer.alloc(8))),
  settings: overGrpc(() => frame([SETTINGS, 0, 0], Buffer.from([0, 4, 0, 1, 0, 0]))),
  'rapid resets': overGrpc((at) => {
    const stream = 2 * at + 1;
    const reset = frame([RESET, 0, stream], Buffer.from([0, 0, 0, 8]));
    return Buffer.concat([frame([HEADERS, END_HEADERS, stream], CALL), reset]);
  }),
  continuations: overGrpc(() => frame([CONTINUATION, 0, 1], header('a', 'b')), begun),
  'empty continuations': overGrpc(() => frame([CONTINUATION, 0, 1]), begun),
  'empty data': overGrpc(() => frame([DATA, 0, 1]), opened),
  'a message in crumbs': overGrpc(
    () => frame([DATA, 0, 1], Buffer.alloc(1)),
    Buffer.concat([opened, announced]),
  ),
};

const POST = 'POST /v2/models/fashion/infer HTTP/1.1\r\nhost: localhost\r\n';
const CHUNKED = `${POST}transfer-encoding: chunked\r\n`;

export const HTTP_FLOODS: Readonly<Record<string, Flood>> = {
  'a body in crumbs': overHttp(`${CHUNKED}\r\n`, '1\r\n \r\n'),
  'extensions of chunks': overHttp(`${CHUNKED}\r\n`, '1;aaaaaaaa=bbbbbbbb\r\n \r\n'),
  trailers: overHttp(`${CHUNKED}\r\n1\r\n \r\n0\r\n`, 'a: b\r\n'),
  'header lines': overHttp(POST, 'a: b\r\n'),
  'requests sent ahead': overHttp('', 'GET /v2/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n'),
};
