import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { anIdentityModel, aSlowLoadingModel } from '../support/a-model-file.ts';
import { understudy } from '../support/command.ts';
import { until } from '../support/until.ts';
import { type Place, RunningGateway } from './a-gateway.ts';

const TIME = { timeout: 100_000 };

/** The runtime would work on it for many minutes. */
const HANGING = aSlowLoadingModel(2_000);
const QUICK = anIdentityModel('FP32');
/** A file of zeros without a block of its own. */
const ENDLESS_BYTES = 2 ** 39;

type Files = Readonly<Record<string, Uint8Array | string>>;

async function aPlaceWith(t: Test, files: Files, models = '{}') {
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
    `apiVersion: understudy/v1\nserver: ${server}\nrepository: ./models\nledger: ./ledger\nmodels: ${models}\n`,
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

/** A gateway that serves version 1, with a version 2 that hangs at load; its rollout is loading. */
async function aLoadingRollout(t: Test) {
  const files = { 'm/1/model.onnx': QUICK, 'm/2/model.onnx': HANGING };
  const place = await aPlaceWith(t, files, '{ m: { route: { stable: "1" } } }');
  const gateway = await RunningGateway.start(t, place);
  const start = ['rollout', 'start', 'm', '2', '--intent', 'equivalent'];
  const { code, stdout, stderr } = await understudy([...start, '--admin', gateway.adminUrl]);
  t.equal(code, 0, stderr);
  t.match(stdout, /^rollout m-2-1: version 2 is being loaded; the trial begins once it is ready/);
  await until('its shadow host loads', () => gateway.shadows().length > 0);
  return { place, gateway };
}

async function abort(gateway: RunningGateway) {
  return await understudy(['rollout', 'abort', 'm', '--admin', gateway.adminUrl]);
}

async function statusOf(gateway: RunningGateway): Promise<{ phase: string }> {
  const answer = await fetch(`${gateway.adminUrl}/api/v1/models/m/rollout`);
  return (await answer.json()) as { phase: string };
}

t.test('a candidate that hangs at load holds no command, and an abort ends it', TIME, async (t) => {
  const { gateway } = await aLoadingRollout(t);
  t.match(await statusOf(gateway), { phase: 'loading', step: undefined, setWeightBp: 0 });
  const aborted = await abort(gateway);
  t.equal(aborted.code, 0, aborted.stderr);
  t.equal((await statusOf(gateway)).phase, 'aborted');
  await until('its process is gone', () => gateway.shadows().length === 0);
  t.equal((await ask(gateway, 'models/m/infer', ONE_ROW)).status, 200);
});

t.test('a trial that hangs at load again after a kill delays no start', TIME, async (t) => {
  const first = await aLoadingRollout(t);
  first.gateway.killGroup();
  await first.gateway.ended;
  const gateway = await RunningGateway.start(t, first.place);
  t.equal((await ask(gateway, 'models/m/infer', ONE_ROW)).status, 200, 'stable answers');
  t.equal((await statusOf(gateway)).phase, 'loading', 'it resumes where it was');
  await until('its shadow host loads', () => gateway.shadows().length > 0);
  gateway.kill('SIGTERM');
  t.same(await gateway.ended, { code: 0, signal: null }, 'which holds up no end');
  const next = await RunningGateway.start(t, first.place);
  t.equal((await statusOf(next)).phase, 'loading', 'and is no fault of the candidate');
  t.equal((await abort(next)).code, 0);
});

t.test('SIGTERM while a model hangs at load ends with code 0', TIME, async (t) => {
  const gateway = await RunningGateway.open(t, await aPlaceWith(t, { 'm/1/model.onnx': HANGING }));
  await until('it loads', () => gateway.hosts().length > 0);
  gateway.kill('SIGTERM');
  t.same(await gateway.ended, { code: 0, signal: null });
  t.notMatch(gateway.log, /"error"/, 'and is no failure of it');
});

t.test('a package without an end holds nothing but its model, and no end', TIME, async (t) => {
  const files = { 'endless/1/model.onnx': QUICK, 'quick/1/model.onnx': QUICK };
  const place = await aPlaceWith(t, { ...files, 'endless/1/weights.bin': '' });
  await truncate(join(place.root, 'models/endless/1/weights.bin'), ENDLESS_BYTES);
  const gateway = await RunningGateway.open(t, place);
  await until('the quick one is ready', async () => {
    return (await ask(gateway, 'models/quick/ready')).status === 200;
  });
  const reading = /'endless' is starting: its package is being read, \d+ of 549756 MB/;
  await until('its progress is reported', async () => {
    return reading.test((await ask(gateway, 'models/endless/infer', ONE_ROW)).text);
  });
  gateway.kill('SIGTERM');
  t.same(await gateway.ended, { code: 0, signal: null });
});
