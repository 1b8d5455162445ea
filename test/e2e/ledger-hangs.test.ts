import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { ALL_BP, type Route } from '../../src/core/route.ts';
import { openFileLedger } from '../../src/ledger/file.ts';
import { anIdentityModel } from '../support/a-model-file.ts';
import { aHungFile } from '../support/a-pipe.ts';
import { understudy } from '../support/command.ts';
import { until } from '../support/until.ts';
import { type Place, RunningGateway } from './a-gateway.ts';

const TIME = { timeout: 100_000 };
const SEGMENT = '000000000000.jsonl';

/** The configuration says version 1, and the ledger, since then, version 2. */
const ON_RECORD: Route = {
  model: 'm',
  revision: 1,
  stable: '2',
  shares: [{ arm: 'stable', version: '2', weightBp: ALL_BP }],
  salt: 'a',
  rules: [],
  aliases: {},
  mirror: undefined,
};

async function aPlace(t: Test): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'understudy-hangs-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  for (const version of ['1', '2']) {
    const file = join(root, 'models', 'm', version, 'model.onnx');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, anIdentityModel('FP32'));
  }
  const [config, directory] = [join(root, 'understudy.yaml'), join(root, 'ledger')];
  const free = '127.0.0.1:0';
  const server = JSON.stringify({ http: free, grpc: free, admin: free });
  await writeFile(
    config,
    `apiVersion: understudy/v1\nserver: ${server}\nrepository: { path: ./models, poll: 1s }\nledger: ./ledger\nmodels: { m: { route: { stable: "1" } } }\n`,
  );
  const ledger = await openFileLedger(directory, { clock: systemClock });
  await ledger.append({ kind: 'route', route: ON_RECORD, why: 'command' }, ledger.head());
  await ledger.close();
  return { root, config, ledger: directory };
}

/** A gateway whose ports are open, while the only file of its ledger answers no read. */
async function hanging(t: Test) {
  const place = await aPlace(t);
  const segment = join(place.ledger, SEGMENT);
  const records = readFileSync(segment, 'utf8');
  const file = aHungFile(t, segment);
  return { place, records, file, gateway: await RunningGateway.open(t, place) };
}

const ONE_ROW = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] };

async function ask(gateway: RunningGateway, path: string, isRequest = false) {
  const request = {
    method: 'POST',
    // What is inflated needs a thread of those that files hang in.
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: gzipSync(JSON.stringify(ONE_ROW)),
  };
  const url = `http://127.0.0.1:${gateway.httpPort}/v2/${path}`;
  const answer = await fetch(url, isRequest ? request : {});
  return { status: answer.status, text: await answer.text() };
}

async function askAdmin(gateway: RunningGateway, path: string, body?: object) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(
    gateway.adminUrl + path,
    body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) },
  );
  return { status: answer.status, body: await answer.json() };
}

t.test('a ledger that cannot be read holds no port, and no version is guessed', TIME, async (t) => {
  const { gateway, file, records, place } = await hanging(t);
  const sinceMs = performance.now();
  t.equal((await ask(gateway, 'health/live')).status, 200);
  const reason = /'m' is starting: the ledger, where its route stands, is still being read/;
  for (const path of ['models/m/ready', 'health/ready'])
    t.match(await ask(gateway, path), { status: 503, text: reason }, path);
  t.match(await ask(gateway, 'models/m/infer', true), { status: 503, text: reason });
  t.match(await ask(gateway, 'models/m/versions/1/infer', true), { status: 503, text: reason });

  const why = /^the ledger has not been read to its end after \d+(\.\d)? s/;
  t.match(await askAdmin(gateway, '/healthz'), {
    status: 503,
    body: { ready: false, ledger: { state: 'degraded', cause: 'unread', why, unrecorded: 0 } },
  });
  t.equal(await gateway.metric('understudy_ledger_degraded'), 1);
  t.match(gateway.log, /"error".*ledger: degraded \(unread\)/);
  const unknown = { status: 503, body: { code: 'not_ready', error: why } };
  t.match(await askAdmin(gateway, '/api/v1/rollouts'), unknown, 'none is known');
  const abort = await askAdmin(gateway, '/api/v1/models/m/rollout/abort', { reason: 'a test' });
  t.match(abort, unknown, 'there may be one to abort');
  const get = await understudy(['rollout', 'get', 'm', '--admin', gateway.adminUrl]);
  t.match(get, { code: 1, stderr: /m is starting: the ledger/ });

  const late = join(place.root, 'models', 'late', '1', 'model.onnx');
  await mkdir(dirname(late), { recursive: true });
  await writeFile(late, anIdentityModel('FP32'));
  await until('the poll has had time', () => performance.now() - sinceMs > 3_000);
  t.equal((await ask(gateway, 'models/late/ready')).status, 404, 'it may be on record');

  file.end(records);
  await until('it has started', () => /"started after/.test(gateway.log));
  await until('a model that came meanwhile is taken up', async () => {
    return (await ask(gateway, 'models/late/ready')).status === 200;
  });
  t.match(await ask(gateway, 'models/m/infer', true), {
    status: 200,
    text: /"model_version":"2"/,
  });
  t.match(await askAdmin(gateway, '/healthz'), {
    status: 200,
    body: { ledger: { state: 'healthy' } },
  });
  gateway.kill('SIGTERM');
  t.same(await gateway.ended, { code: 0, signal: null });
});

t.test('SIGTERM while the ledger cannot be read ends before the time limit', TIME, async (t) => {
  const { gateway } = await hanging(t);
  const sinceMs = performance.now();
  gateway.kill('SIGTERM');
  // Its thread hangs, so that no exit code can be given.
  t.same(await gateway.ended, { code: null, signal: 'SIGKILL' });
  t.match(gateway.log, /"stopped"/);
  t.ok(performance.now() - sinceMs < 25_000);
});

t.test('a ledger that proves to be broken late ends the gateway with code 1', TIME, async (t) => {
  const { gateway, file, records } = await hanging(t);
  file.end(records.replace('"2"', '"1"'));
  t.same(await gateway.ended, { code: 1, signal: null });
  t.match(gateway.log, /"error".*ledger: cannot be opened in .*000000000000\.jsonl:1: /);
});
