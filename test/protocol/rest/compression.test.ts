import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import t from 'tap';
import { readBody } from '../../../src/protocol/rest/body.ts';
import { BodyMemory } from '../../../src/protocol/rest/body-memory.ts';
import { preferred } from '../../../src/protocol/rest/compress.ts';
import { Pieces } from '../../../src/protocol/rest/pieces.ts';
import { aGateway, aVersion, echoHost } from '../../gateway/builders.ts';
import { anInput, anyShare, aServer, binaryInput, floats, inferCall, LIMITS } from './builders.ts';

const GOOD = JSON.stringify({ inputs: [anInput()] });

const ENCODERS = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['GZIP', gzipSync],
  ['identity, gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
] as const;

t.test('a compressed body is inflated, whichever way it is compressed', async (t) => {
  const { app } = aServer();
  for (const [encoding, encode] of ENCODERS) {
    const call = inferCall(encode(GOOD), { 'content-encoding': encoding });
    const answer = await app.inject(call);
    t.equal(answer.statusCode, 200, `${encoding}: ${answer.body}`);
  }
});

t.test('the header length of a compressed binary request counts inflated bytes', async (t) => {
  const head = JSON.stringify({ inputs: [binaryInput(8)] });
  const body = gzipSync(Buffer.concat([Buffer.from(head), floats(1, 2)]));
  const headers = {
    'content-encoding': 'gzip',
    'inference-header-content-length': String(head.length),
  };
  t.equal((await aServer().app.inject(inferCall(body, headers))).statusCode, 200);
});

t.test('another encoding, and one on top of another, is refused with what is served', async (t) => {
  const { app } = aServer();
  for (const encoding of ['br', 'gzip, deflate', 'gzip, gzip', 'zstd']) {
    const answer = await app.inject(inferCall(GOOD, { 'content-encoding': encoding }));
    t.equal(answer.statusCode, 501, encoding);
    t.equal(answer.json().code, 'unsupported');
    t.equal(answer.headers['accept-encoding'], 'gzip, deflate');
  }
});

t.test('what does not inflate is refused, and the next request is served', async (t) => {
  const { app } = aServer();
  const whole = gzipSync(GOOD);
  for (const body of [Buffer.from(GOOD), whole.subarray(0, whole.length - 9), Buffer.alloc(0)]) {
    const answer = await app.inject(inferCall(body, { 'content-encoding': 'gzip' }));
    t.match([answer.statusCode, answer.json().error], [400, /expected/]);
  }
  const answer = await app.inject(inferCall(whole, { 'content-encoding': 'gzip' }));
  t.equal(answer.statusCode, 200);
});

t.test('a body that inflates beyond the limit is refused', async (t) => {
  const bomb = gzipSync(Buffer.alloc(64 * LIMITS.bodyBytesMax, 0x20));
  t.ok(bomb.byteLength < LIMITS.bodyBytesMax, `${bomb.byteLength} bytes on the wire`);
  const answer = await aServer().app.inject(inferCall(bomb, { 'content-encoding': 'gzip' }));
  t.match([answer.statusCode, answer.json().code], [413, 'too_large']);
});

t.test('a compressed body that breaks off with its connection leaves nothing behind', async (t) => {
  const gateway = aGateway();
  const refusals = new EventEmitter();
  const server = aServer({ gateway, onRefused: (...told) => refusals.emit('refused', ...told) });
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  const body = gzipSync(Buffer.from(GOOD));
  const lines = `POST /v2/models/m/infer HTTP/1.1\r\nhost: a\r\ncontent-encoding: gzip\r\ncontent-length: ${body.byteLength}\r\n\r\n`;
  // Nothing of it, the first bytes, and all but the last.
  for (const bytes of [0, 5, body.byteLength - 1]) {
    const accepted = once(server.app.server, 'request');
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(Buffer.concat([Buffer.from(lines), body.subarray(0, bytes)]));
    });
    await accepted;
    const refused = once(refusals, 'refused');
    socket.destroy();
    t.same(await refused, ['m', 'cancelled'], `${bytes} bytes`);
  }
  const whole = inferCall(body, { 'content-encoding': 'gzip' });
  t.equal((await server.app.inject(whole)).statusCode, 200);
  t.equal(gateway.inFlight(), 0);
});

t.test('a long body of unknown length is joined in slices, whole and in order', async (t) => {
  const pieces = Array.from({ length: 64 }, (_, index) => Buffer.alloc(65_536, index));
  let turns = 0;
  const next = async (): Promise<void> => {
    turns += 1;
  };
  const options = {
    contentLength: undefined,
    bytesMax: 2 ** 23,
    memory: new BodyMemory(),
    share: anyShare(),
    slicer: { isOver: () => true, next },
  };
  const body = await new Promise<Buffer | undefined>((resolve, reject) => {
    readBody(Readable.from(pieces), options, (error, found) =>
      error === null ? resolve(found) : reject(error),
    );
  });
  t.ok(body?.equals(Buffer.concat(pieces)));
  t.ok(turns >= 7, `4 MiB in ${turns + 1} slices`);
});

t.test('pieces that come a byte at a time take little more than their bytes', async (t) => {
  const collected = new Pieces();
  const sent = Array.from({ length: 200_000 }, (_, index) =>
    Buffer.alloc(index % 1_000 === 0 ? 4_096 : 1, index),
  );
  for (const piece of sent) collected.add(piece);
  const kept = collected.all();
  t.ok(Buffer.concat(kept).equals(Buffer.concat(sent)), 'whole and in order');
  t.ok(kept.length < 500, `${kept.length} pieces of ${sent.length} are kept`);
  const blocks = new Set(kept.map(({ buffer }) => buffer));
  const held = [...blocks].reduce((bytes, { byteLength }) => bytes + byteLength, 0);
  t.ok(held < 2_000_000, `${held} bytes are held`);
});

/** A model that gives back what it is given. */
function anEcho() {
  const signature = {
    inputs: [{ name: 'x', dtype: 'FP32', shape: [-1, -1] }],
    outputs: [{ name: 'y', dtype: 'FP32', shape: [-1, -1] }],
  } as const;
  const versions = [aVersion('1', { signature })];
  return aGateway({ hosts: { '1': echoHost('1', signature) }, versions });
}

t.test('an answer is compressed if the caller asks for that and it is worth it', async (t) => {
  const { app } = aServer({ gateway: anEcho() });
  const many = anInput({ shape: [2, 500], data: Array.from({ length: 1_000 }, () => 1.5) });
  const ask = (input: unknown, accepted: string) =>
    app.inject(inferCall({ inputs: [input] }, { 'accept-encoding': accepted }));
  const plain = await ask(many, 'identity');
  t.match(plain.headers, { vary: 'accept-encoding', 'content-encoding': undefined });
  const gzipped = await ask(many, 'gzip, deflate');
  t.equal(gzipped.headers['content-encoding'], 'gzip');
  t.equal(gzipped.headers['content-length'], String(gzipped.rawPayload.byteLength));
  t.same(JSON.parse(gunzipSync(gzipped.rawPayload).toString()), plain.json());
  const deflated = await ask(many, 'deflate');
  t.same(JSON.parse(inflateSync(deflated.rawPayload).toString()), plain.json());
  t.equal((await ask(anInput(), 'gzip')).headers['content-encoding'], undefined, 'a small one');
});

t.test('weights decide between encodings', async (t) => {
  const cases = [
    [undefined, undefined],
    ['', undefined],
    ['gzip', 'gzip'],
    ['deflate, gzip', 'gzip'],
    ['deflate, gzip;q=0.5', 'deflate'],
    ['gzip;q=0', undefined],
    ['*', 'gzip'],
    ['*, gzip;q=0', 'deflate'],
    ['br', undefined],
    ['identity, gzip;q=0.5', undefined],
    ['gzip;q=nonsense', undefined],
  ] as const;
  for (const [header, expected] of cases) t.equal(preferred(header), expected, `${header}`);
});
