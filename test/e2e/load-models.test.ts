import { readdirSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { anIdentityModel } from '../support/a-model-file.ts';
import { until } from '../support/until.ts';
import { aPlace, liveTraffic, type Place, RunningGateway } from './a-gateway.ts';

const TIME = { timeout: 150_000 };

/** Loading and unloading again and again: enough to distinguish a leak per load from memory used once. */
const CYCLES = 30;

async function aPlaceToLoad(t: Parameters<typeof aPlace>[0]): Promise<Place> {
  const place = await aPlace(t, ['1']);
  await mkdir(join(place.root, 'models/small/1'), { recursive: true });
  await writeFile(join(place.root, 'models/small/1/model.onnx'), anIdentityModel('FP32'));
  await writeFile(
    place.config,
    `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0, modelControl: explicit }
repository: ./models
ledger: ./ledger
models: { fashion: { queue: { deadlineMs: 20000 } } }
`,
  );
  return place;
}

async function post(
  gateway: RunningGateway,
  path: string,
  body: object = {},
): Promise<{ status: number; answer: unknown }> {
  const url = `http://127.0.0.1:${gateway.httpPort}/v2/${path}`;
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, answer: await answer.json() };
}

/** `what` is a model and a verb, such as `small/load`. */
const control = (gateway: RunningGateway, what: string, body?: object) =>
  post(gateway, `repository/models/${what}`, body);

const ask = (gateway: RunningGateway) =>
  post(gateway, 'models/small/infer', {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }],
  });

/** Open files, sockets and pipes of a process. */
function handles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

t.test('packages are replaced under traffic, and no request is lost', TIME, async (t) => {
  const place = await aPlaceToLoad(t);
  const gateway = await RunningGateway.start(t, place);
  const traffic = await liveTraffic(t, gateway, { perSecond: 200, seed: 7 });
  const first = gateway.hosts();
  for (const note of ['one', 'two', 'three']) {
    // Another file in the package: another package.
    await writeFile(join(place.root, 'models/fashion/1/note.txt'), note);
    t.same(await control(gateway, 'fashion/load'), { status: 200, answer: {} });
  }
  const broken = join(place.root, 'models/fashion/2');
  await mkdir(broken);
  await writeFile(join(broken, 'model.onnx'), 'no model');
  await control(gateway, 'fashion/load');
  const index = await post(gateway, 'repository/index');
  t.match(index.answer, [
    { name: 'fashion', version: '1', state: 'READY' },
    { name: 'fashion', version: '2', state: 'UNAVAILABLE', reason: /model\.onnx/ },
    { name: 'small', version: '1', state: 'READY' },
  ]);
  await until('the old hosts are gone', () => gateway.hosts().length === 2);
  t.equal(gateway.hosts().filter((pid) => first.includes(pid)).length, 1, 'the small one stays');
  const { report } = await traffic.stop();
  t.ok(report.measured.offered > 100, `only ${report.measured.offered} requests`);
  t.same(
    [report.measured.offered - report.measured.ok, report.measured.errors],
    [0, {}],
    `of ${report.measured.offered} live requests`,
  );
});

t.test(
  'a model that comes and goes leaves nothing behind, and disturbs no other',
  TIME,
  async (t) => {
    const gateway = await RunningGateway.start(t, await aPlaceToLoad(t));
    const cycle = async (): Promise<void> => {
      await control(gateway, 'small/unload');
      const gone = await ask(gateway);
      if (gone.status !== 404) t.fail(`a model that is not there answers: ${gone.status}`);
      await control(gateway, 'small/load');
      const there = await ask(gateway);
      if (there.status !== 200) t.fail(`a loaded model does not answer: ${there.status}`);
    };
    await cycle();
    await until('each model has its one process', () => gateway.hosts().length === 2);
    // Without the traffic's connections, whose number goes up and down with its load.
    const before = handles(gateway.pid);
    const traffic = await liveTraffic(t, gateway, { perSecond: 50, seed: 8 });
    for (let done = 1; done < CYCLES; done += 1) await cycle();
    const { report } = await traffic.stop();
    await until('each model has its one process', () => gateway.hosts().length === 2);
    await until('no handle is left', () => handles(gateway.pid) <= before);
    t.same(
      [report.measured.offered - report.measured.ok, report.measured.errors],
      [0, {}],
      `of ${report.measured.offered} live requests`,
    );
    const deaths = gateway.entries().filter(({ facts }) => facts?.['exit'] !== undefined);
    t.same(deaths, [], 'nothing had to be killed');
  },
);

t.test('what a caller brings is served, and gone once the gateway ends', TIME, async (t) => {
  const place = await aPlaceToLoad(t);
  await rm(join(place.root, 'models/small'), { recursive: true });
  const gateway = await RunningGateway.start(t, place);
  const file = Buffer.from(anIdentityModel('FP32')).toString('base64');
  const parameters = { config: '{"max_batch_size": 4}', 'file:1/model.onnx': file };
  const loaded = await control(gateway, 'small/load', { parameters });
  t.same(loaded, { status: 200, answer: {} });
  t.match(await ask(gateway), { status: 200, answer: { outputs: [{ data: [1, 2] }] } });
  const refused = await control(gateway, 'small/load');
  t.match(refused.answer, {
    error: /^failed to load 'small', failed to poll from model repository/,
  });
  t.equal((await ask(gateway)).status, 200, 'what was served stays');
  gateway.kill('SIGTERM');
  t.same(await gateway.ended, { code: 0, signal: null });
});
