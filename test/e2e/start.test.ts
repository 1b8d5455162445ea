import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { anIdentityModel, aSlowLoadingModel } from '../support/a-model-file.ts';
import { until } from '../support/until.ts';
import { type Place, RunningGateway } from './a-gateway.ts';

const TIME = { timeout: 100_000 };

/** The runtime would work on it for many minutes. */
const HANGING = aSlowLoadingModel(2_000);
const QUICK = anIdentityModel('FP32');

type Files = Readonly<Record<string, Uint8Array | string>>;

async function aPlaceWith(t: Parameters<typeof RunningGateway.spawn>[0], files: Files) {
  const root = await mkdtemp(join(tmpdir(), 'understudy-start-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(root, 'models', dirname(path)), { recursive: true });
    await writeFile(join(root, 'models', path), content);
  }
  const config = join(root, 'understudy.yaml');
  const free = '127.0.0.1:0';
  const server = JSON.stringify({ http: free, grpc: free, admin: free });
  await writeFile(
    config,
    `apiVersion: understudy/v1\nserver: ${server}\nrepository: ./models\nledger: ./ledger\n`,
  );
  return { root, config, ledger: join(root, 'ledger') } satisfies Place;
}

const ONE_ROW = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] };

const JSON_BODY = { 'content-type': 'application/json' };

async function ask(gateway: RunningGateway, path: string, body?: unknown) {
  const answer = await fetch(`http://127.0.0.1:${gateway.httpPort}/v2/${path}`, {
    ...(body === undefined
      ? {}
      : { method: 'POST', headers: JSON_BODY, body: JSON.stringify(body) }),
  });
  const { status, headers } = answer;
  return { status, text: await answer.text(), retryAfter: headers.get('retry-after') };
}

t.test('ports open while a model hangs at load, and the others are served', TIME, async (t) => {
  const files = { 'hanging/1/model.onnx': HANGING, 'quick/1/model.onnx': QUICK };
  const gateway = await RunningGateway.open(t, await aPlaceWith(t, files));
  t.equal((await ask(gateway, 'health/live')).status, 200);
  const early = await ask(gateway, 'models/hanging/infer', ONE_ROW);
  t.match(early, { status: 503, retryAfter: '1', text: /'hanging' is starting: / });
  await until('the quick one is ready', async () => {
    return (await ask(gateway, 'models/quick/ready')).status === 200;
  });
  t.equal((await ask(gateway, 'models/quick/infer', ONE_ROW)).status, 200);
  await until('the other one loads', () => /"loading".*"hanging"/.test(gateway.log));
  const late = await ask(gateway, 'models/hanging/infer', ONE_ROW);
  t.match(late, { status: 503, retryAfter: '1', text: /its versions are loading/ });
  const ready = await ask(gateway, 'health/ready');
  t.match(ready, { status: 503, text: /'hanging' is starting/ });
  const index = await ask(gateway, 'repository/index', {});
  t.match(JSON.parse(index.text), [
    { name: 'hanging', version: '1', state: 'LOADING' },
    { name: 'quick', version: '1', state: 'READY' },
  ]);
});
