/**
 * Clients that people have, unchanged, against a gateway: `npm run test:interop`. Not a part of `npm test`, as the Python
 * clients have to be fetched first.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';

import { aGateway } from '../docs/a-gateway.ts';
import { checkBlock } from '../docs/check-block.ts';
import { blocksOf, readPage } from '../docs/page.ts';
import { RunningGateway } from '../e2e/a-gateway.ts';
import { grpcClient } from './grpc-client.ts';
import { grpcurlProgram } from './grpcurl.ts';
import { identityModel, writeRepository } from './models.ts';
import { type Addresses, pythonWithClients, runClient } from './python.ts';

const run = promisify(execFile);

const PYTHON_CLIENTS = [
  'triton_http.py',
  'triton_grpc.py',
  'triton_stream.py',
  'triton_aio.py',
  'triton_control.py',
  'triton_contents.py',
  'triton_images.py',
  'kserve_clients.py',
];

const python = await pythonWithClients();
const grpcurl = await grpcurlProgram();
const server = await aServer();

for (const file of PYTHON_CLIENTS) {
  t.test(`${file}: every claim holds`, async (t) => {
    for (const { claim, why } of await runClient(python, file, server)) {
      t.equal(why, null, claim);
    }
  });
}

t.test('a Node client made from the .proto alone', async (t) => {
  const client = grpcClient(server.grpc);
  t.teardown(() => client.close());
  const row = (name: string, values: readonly number[]) => ({
    name,
    datatype: 'INT32',
    shape: [1, 16],
    contents: { int_contents: values },
  });
  const [counted, ones] = [Array.from({ length: 16 }, (_, at) => at), Array(16).fill(1)];
  const answer = await client.call('ModelInfer', {
    model_name: 'simple',
    id: '7',
    inputs: [row('INPUT0', counted), row('INPUT1', ones)],
  });
  t.match(answer, { model_name: 'simple', model_version: '1', id: '7' });
  const [sums] = answer['raw_output_contents'] as readonly Buffer[];
  const found = Array.from({ length: 16 }, (_, at) => sums?.readInt32LE(at * 4));
  t.same(
    found,
    counted.map((value) => value + 1),
    'typed contents go, raw contents come',
  );
  t.match(await client.call('ServerReady', {}), { ready: true });
});

const skip = grpcurl === undefined && 'needs Go, to compile grpcurl with';
t.test('the calls of gRPC in the documentation, by the real grpcurl', { skip }, async (t) => {
  const page = 'docs/reference/protocol.md';
  const gateway = await aGateway({ modelControl: 'explicit' });
  t.teardown(() => gateway.close());
  const blocks = blocksOf(readPage(page)).filter(({ text }) => text.includes('grpcurl '));
  t.ok(blocks.length > 3, `${blocks.length} blocks`);
  for (const block of blocks) await checkBlock(t, { page, block, gateway });
});

t.test('grpcurl, which knows what reflection tells it and nothing else', { skip }, async (t) => {
  const ask = async (...args: readonly string[]): Promise<string> =>
    (await run(grpcurl ?? '', ['-plaintext', '-max-time', '20', ...args])).stdout;
  const call = async (method: string, request: object): Promise<unknown> => {
    const called = `inference.GRPCInferenceService/${method}`;
    return JSON.parse(await ask('-d', JSON.stringify(request), server.grpc, called));
  };
  const row = (name: string) => ({
    name,
    datatype: 'INT32',
    shape: [1, 16],
    contents: { int_contents: Array(16).fill(2) },
    parameters: { binary: { bool_param: true } },
  });

  t.match(await ask(server.grpc, 'list'), /inference\.GRPCInferenceService/);
  const described = await ask(server.grpc, 'describe', 'inference.ModelInferRequest');
  t.match(described, /map<string, .*InferParameter> parameters = 4/);
  t.same(await call('ServerLive', {}), { live: true });
  t.match(await call('ModelConfig', { name: 'simple' }), { config: { max_batch_size: 8 } });
  t.match(await call('RepositoryIndex', {}), { models: Array });
  const parameters = { colour: { string_param: 'red' } };
  const request = { model_name: 'simple', inputs: [row('INPUT0'), row('INPUT1')], parameters };
  const outputs = [{ contents: { int_contents: Array(16).fill(4) } }, { name: 'OUTPUT1' }];
  t.match(await call('ModelInfer', request), { model_name: 'simple', outputs });
  t.match(await call('ModelStreamInfer', request), { infer_response: { outputs } });
  const refused = await call('ModelMetadata', { name: 'nobody' }).catch((error: unknown) => error);
  t.match(refused, { stderr: /Code: NotFound[\s\S]*Request for unknown model: 'nobody'/ });
});

t.test('curl', async (t) => {
  const curl = async (...args: readonly string[]): Promise<unknown> => {
    const { stdout } = await run('curl', ['--silent', '--show-error', ...args]);
    return JSON.parse(stdout);
  };
  const infer = `http://${server.http}/v2/models/simple/infer`;
  const row = (name: string) => ({
    name,
    datatype: 'INT32',
    shape: [1, 16],
    data: Array(16).fill(2),
  });
  const body = JSON.stringify({ inputs: [row('INPUT0'), row('INPUT1')] });
  const isSum = {
    model_name: 'simple',
    outputs: [{ data: Array(16).fill(4) }, { data: Array(16).fill(0) }],
  };

  t.match(await curl(infer, '--data', body), isSum, 'as a form, as curl labels it');
  const chunked = ['--header', 'transfer-encoding: chunked', '--data-binary', body];
  t.match(await curl(infer, ...chunked), isSum, 'in chunks of unknown length');
  t.match(await curl(infer, '--compressed', '--data', body), isSum, 'asking for compression');
  t.match(await curl(`http://${server.http}/v2/models/nobody`), {
    error: /Request for unknown model: 'nobody' is not found/,
  });
});

/** A gateway that serves the clients' models, and the model that one of them brings along. */
async function aServer(): Promise<Addresses> {
  const root = await mkdtemp(join(tmpdir(), 'understudy-interop-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  await writeRepository(join(root, 'models'));
  const upload = join(root, 'uploaded.onnx');
  await writeFile(upload, identityModel('FP32'));
  const config = join(root, 'understudy.yaml');
  await writeFile(
    config,
    `apiVersion: understudy/v1
server:
  { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0, name: triton, modelControl: explicit }
repository: ./models
ledger: ./ledger
`,
  );
  const gateway = await RunningGateway.start(t, { root, config, ledger: join(root, 'ledger') });
  return { http: `127.0.0.1:${gateway.httpPort}`, grpc: `127.0.0.1:${gateway.grpcPort}`, upload };
}
