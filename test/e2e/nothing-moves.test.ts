import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { anIdentityModel } from '../support/a-model-file.ts';
import { understudy } from '../support/command.ts';
import { until } from '../support/until.ts';
import { type Place, RunningGateway } from './a-gateway.ts';

const TIME = { timeout: 150_000 };
const MODEL = anIdentityModel('FP32');

/** A folder with these files in its repository, a configuration of free ports and room for a ledger. */
async function aPlaceOf(
  t: Parameters<typeof RunningGateway.start>[0],
  versions: readonly string[],
  more = '',
): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'understudy-still-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const config = join(root, 'understudy.yaml');
  await mkdir(join(root, 'models'));
  await writeFile(
    config,
    `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0, modelControl: explicit }
ledger: ./ledger
${more}
`,
  );
  const place = { root, config, ledger: join(root, 'ledger') };
  for (const version of versions) await addVersion(place, version);
  return place;
}

async function addVersion({ root }: Place, version: string, model = 'm'): Promise<void> {
  const file = join(root, 'models', model, version, 'model.onnx');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, MODEL);
}

/** The version that answers a request without a version. */
async function servedBy(gateway: RunningGateway, model = 'm'): Promise<unknown> {
  const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] };
  const answer = await fetch(`http://127.0.0.1:${gateway.httpPort}/v2/models/${model}/infer`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  return ((await answer.json()) as { model_version?: unknown }).model_version;
}

async function stopped(gateway: RunningGateway): Promise<void> {
  gateway.kill('SIGTERM');
  await gateway.ended;
}

function warnings(gateway: RunningGateway): readonly string[] {
  return gateway
    .entries()
    .flatMap(({ message }) => (/recorded the newest, .* as stable/.test(message) ? [message] : []));
}

t.test('neither a folder, nor a load call, nor a restart moves traffic', TIME, async (t) => {
  const place = await aPlaceOf(t, ['1', '2', '9.bak']);
  const first = await RunningGateway.start(t, place);
  t.equal(await servedBy(first), '2');
  await until('the first choice is logged', () => warnings(first).length > 0);
  t.match(warnings(first), [/recorded the newest, 2, as stable in the ledger/]);
  await addVersion(place, '3');
  const load = `http://127.0.0.1:${first.httpPort}/v2/repository/models/m/load`;
  t.equal((await fetch(load, { method: 'POST' })).status, 200);
  t.equal(await servedBy(first), '2');
  await stopped(first);
  const second = await RunningGateway.start(t, place);
  t.equal(await servedBy(second), '2');
  t.same(warnings(second), []);
  await stopped(second);
  await rm(place.ledger, { recursive: true });
  const fresh = await RunningGateway.start(t, place);
  t.equal(await servedBy(fresh), '3', 'without its ledger every start is the first');
  await until('and says so', () => warnings(fresh).length > 0);
});

t.test(
  'what comes and changes is listed, tried and taken up without a restart',
  TIME,
  async (t) => {
    const place = await aPlaceOf(t, ['1']);
    const gateway = await RunningGateway.start(t, place);
    const admin = ['--admin', gateway.adminUrl];
    await addVersion(place, '2');
    await addVersion(place, 'old');
    const listed = await understudy(['models', ...admin]);
    t.match(
      listed.stdout,
      /^m +1 +ready +stable 100 % +probed +[0-9a-f]{12}\nm +2 +unloaded +- +- +/m,
    );
    t.match(listed.stdout, /^m: left aside, .*: old$/m);
    await writeFile(join(place.root, 'models/m/1/model.yaml'), 'task: other');
    const refused = await understudy(['rollout', 'start', 'm', '2', ...admin]);
    t.equal(refused.code, 1);
    t.match(refused.stderr, /version 1: its files changed since they were read\. .*reload m$/m);
    const changed = await understudy(['models', '-o', 'json', ...admin]);
    t.match(JSON.parse(changed.stdout), {
      models: [{ versions: [{ version: '1', reason: /^its files changed since they were read/ }] }],
    });
    const reloaded = await understudy(['models', 'reload', 'm', '-o', 'json', ...admin]);
    t.match(JSON.parse(reloaded.stdout), {
      stable: '1',
      versions: [{ version: '1', task: 'other' }],
    });
    const started = await understudy(['rollout', 'start', 'm', 'old', ...admin]);
    t.equal(started.code, 0, started.stderr);
    t.equal((await understudy(['rollout', 'promote', 'm', ...admin])).code, 0);
    t.equal(await servedBy(gateway), 'old', 'a version promoted by hand, of any name');
    await stopped(gateway);
    const again = await RunningGateway.start(t, place);
    t.equal(await servedBy(again), 'old', 'and the ledger remembers it');
    await addVersion(place, '5');
    const route = `${again.adminUrl}/api/v1/models/m/route`;
    const { revision } = (await (await fetch(route)).json()) as { revision: number };
    const set = await fetch(route, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ revision, stable: '5', split: { 5: 100 } }),
    });
    t.equal(set.status, 200);
    t.equal(await servedBy(again), '5', 'a route finds a version that has just come');
  },
);

t.test(
  'a gateway over an empty repository serves what is put there, once it is whole',
  TIME,
  async (t) => {
    const place = await aPlaceOf(t, [], 'repository: { path: ./models, poll: 1s }');
    await writeFile(
      place.config,
      (await readFile(place.config, 'utf8')).replace(', modelControl: explicit', ''),
    );
    const gateway = await RunningGateway.start(t, place);
    const file = join(place.root, 'models/m/1/model.onnx');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, MODEL.slice(0, 20));
    const whole = await until('the first half has been looked at', () =>
      gateway.entries().some(({ message }) => message.startsWith('cannot be served')),
    );
    t.ok(whole, 'an incomplete copy is reported');
    await writeFile(file, MODEL);
    await until('the model is served', async () => (await servedBy(gateway)) === '1');
    await until('it is said', () => warnings(gateway).length > 0);
    t.match(warnings(gateway), [/recorded the newest, 1, as stable/]);
    await addVersion(place, '2');
    await until('version 2 is found', () =>
      gateway
        .entries()
        .some(
          ({ message, facts }) =>
            message.startsWith('new version found') && facts?.['version'] === '2',
        ),
    );
    t.equal(await servedBy(gateway), '1');
  },
);
