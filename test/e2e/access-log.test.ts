import { existsSync, readFileSync, renameSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { projectRoot } from '../support/project-root.ts';
import { until } from '../support/until.ts';
import { aPlace, RunningGateway } from './a-gateway.ts';

const TIME = { timeout: 150_000 };
const BODY = await readFile(join(projectRoot, 'docs/examples/infer.json'));

type Line = Readonly<Record<string, unknown>>;

function linesOf(file: string): readonly Line[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

async function aLogging(t: Test): Promise<{ gateway: RunningGateway; file: string }> {
  const place = await aPlace(t, ['1']);
  const text = await readFile(place.config, 'utf8');
  await writeFile(place.config, `${text}telemetry: { accessLog: { to: ./access.log } }\n`);
  const gateway = await RunningGateway.start(t, place);
  return { gateway, file: join(place.root, 'access.log') };
}

function infer({ httpPort }: RunningGateway, headers: Readonly<Record<string, string>> = {}) {
  const url = `http://127.0.0.1:${httpPort}/v2/models/fashion/infer?api_key=SECRET`;
  return fetch(url, { method: 'POST', body: BODY, headers });
}

/** A call of gRPC without fields, as any client of HTTP/2 can make it. */
async function serverLive({ grpcPort }: RunningGateway): Promise<void> {
  const session = connect(`http://127.0.0.1:${grpcPort}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/inference.GRPCInferenceService/ServerLive',
    'content-type': 'application/grpc',
    te: 'trailers',
    'x-request-id': 'rpc-1',
  });
  stream.resume().end(Buffer.alloc(5));
  await new Promise((resolve) => stream.once('close', resolve));
  session.close();
}

t.test('each request of each plane is one line without secrets, over a rename', TIME, async (t) => {
  const { gateway, file } = await aLogging(t);
  const answer = await infer(gateway, {
    authorization: 'Bearer SECRET',
    'x-request-id': 'req-1',
    'user-agent': 'a-client/1',
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  });
  t.equal(answer.status, 200);
  const bytes = (await answer.arrayBuffer()).byteLength;
  await serverLive(gateway);
  await fetch(`${gateway.adminUrl}/api/v1/models`);
  await fetch(`http://127.0.0.1:${gateway.httpPort}/none/SECRETLESS`);
  const lines = await until('four lines', () => linesOf(file).length >= 4 && linesOf(file));
  const find = (key: string, value: unknown) => lines.find((line) => line[key] === value);
  t.match(find('http.request.header.x-request-id', 'req-1'), {
    'understudy.plane': 'http',
    'http.request.method': 'POST',
    'http.route': '/v2/models/:model/infer',
    'url.path': '/v2/models/fashion/infer',
    'http.response.status_code': 200,
    'http.request.body.size': BODY.length,
    'http.response.body.size': bytes,
    'model.name': 'fashion',
    'model.version': '1',
    'understudy.arm': 'stable',
    'understudy.duration_ms': Number,
    'understudy.queue_ms': Number,
    'understudy.compute_ms': Number,
    'understudy.request.id': String,
    trace_id: 'a'.repeat(32),
    'client.address': '127.0.0.1',
    'user_agent.original': 'a-client/1',
  });
  t.match(find('understudy.plane', 'grpc'), {
    'rpc.method': 'inference.GRPCInferenceService/ServerLive',
    'rpc.status_code': 'OK',
    'http.request.header.x-request-id': 'rpc-1',
  });
  t.match(find('understudy.plane', 'admin'), {
    'http.route': '/api/v1/models',
    'http.response.status_code': 200,
  });
  t.match(find('http.response.status_code', 404), { 'url.path': '/none/SECRETLESS' });
  t.notMatch(readFileSync(file, 'utf8'), /SECRET\b/);

  renameSync(file, `${file}.1`);
  const before = linesOf(`${file}.1`).length;
  for (let at = 0; at < 20; at += 1) {
    t.equal((await infer(gateway)).status, 200);
    if (at !== 10) continue;
    await until('the file that was open takes lines', () => linesOf(`${file}.1`).length > before);
    process.kill(gateway.pid, 'SIGHUP');
  }
  await until('there is a new file', () => existsSync(file));
  t.equal((await infer(gateway)).status, 200);
  const ofInfer = (path: string) =>
    linesOf(path).filter((line) => line['http.route'] === '/v2/models/:model/infer').length;
  await until('no line is lost', () => ofInfer(`${file}.1`) + ofInfer(file) === 22);
  t.ok(ofInfer(file) >= 1);
});

t.test('a caller that hangs up is a line too', TIME, async (t) => {
  const { gateway, file } = await aLogging(t);
  const socket = connectTcp(gateway.httpPort, '127.0.0.1');
  const head = `POST /v2/models/fashion/infer HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{`;
  socket.write(head, () => setImmediate(() => socket.destroy()));
  const found = await until('it is logged', () =>
    linesOf(file).find((line) => line['url.path'] === '/v2/models/fashion/infer'),
  );
  t.match(found, { 'http.request.body.size': 9 });
});
