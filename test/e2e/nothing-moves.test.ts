import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { anIdentityModel } from '../support/a-model-file.ts';
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

/** The version that answers somebody who names none. */
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
    .flatMap(({ message }) => (/stable from here on/.test(message) ? [message] : []));
}

t.test('neither a folder, nor a load call, nor a restart moves anybody', TIME, async (t) => {
  const place = await aPlaceOf(t, ['1', '2', '9.bak']);
  const first = await RunningGateway.start(t, place);
  t.equal(await servedBy(first), '2');
  await until('the first choice is told', () => warnings(first).length > 0);
  t.match(warnings(first), [
    /version 2, the newest, is stable from here on, as the ledger now says/,
  ]);
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
