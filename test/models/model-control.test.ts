import { access, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { deferred } from '../../src/concurrency/deferred.ts';
import { messageOf } from '../../src/core/errors.ts';
import type { LoadRequest } from '../../src/core/model-repository.ts';
import { aRequest, NEVER_ABORTED } from '../gateway/builders.ts';
import { aSpec } from '../rollout/builders.ts';
import { anIdentityModel } from '../support/a-model-file.ts';
import { until } from '../support/until.ts';
import { aControl, aRepository, type Control, put } from './a-control.ts';

const MODEL = anIdentityModel('FP32');
/** Another digest, the same signature but for an internal name. */
const OTHER = anIdentityModel('FP32', [-1, -1]);
const REPOSITORY: LoadRequest = { config: undefined, files: new Map() };

/** Answers, one after the other, until it is stopped; what went wrong is counted, never thrown. */
function traffic({ gateway }: Control, model = 'm') {
  const seen = { answers: new Set<number>(), requests: 0, failures: [] as string[] };
  let isOn = true;
  const running = (async () => {
    while (isOn) {
      seen.requests += 1;
      await gateway.infer(aRequest({ model }), NEVER_ABORTED).then(
        ({ batch }) => seen.answers.add(batch.id),
        (error: unknown) => seen.failures.push(messageOf(error)),
      );
      await turn();
    }
  })();
  return {
    seen,
    stop: async () => {
      isOn = false;
      await running;
      return seen;
    },
  };
}

async function listed({ control }: Control): Promise<string[]> {
  return (await control.index()).map(({ model, version, state }) =>
    [model, version, state.kind, ...(state.kind === 'failed' ? [state.reason] : [])].join(' '),
  );
}

async function starts({ gateway }: Control, model = 'm'): Promise<number> {
  return (await gateway.infer(aRequest({ model }), NEVER_ABORTED)).batch.id;
}

t.test('loads and unloads are refused unless the configuration allows them', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL });
  const { control } = await aControl(t, root, { modelControl: 'none' });
  for (const refused of [control.load('m', REPOSITORY), control.unload('m')]) {
    await t.rejects(refused, {
      code: 'not_allowed',
      message: /^explicit model load \/ unload is not allowed: /,
    });
  }
  t.equal((await control.index()).length, 1, 'to look is allowed');
});

t.test('a package that was replaced takes over between two requests', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL });
  const world = await aControl(t, root);
  const people = traffic(world);
  t.equal(await starts(world), 1);
  await put(root, 'm/1/model.onnx', OTHER);
  await world.control.load('m', REPOSITORY);
  t.equal(await starts(world), 2, 'the new one answers from here on');
  await until('callers get it too', () => people.seen.answers.has(2));
  const { failures, answers } = await people.stop();
  t.same(failures, []);
  t.same([...answers], [1, 2]);
  t.same(world.hosts.closed, ['m 1 of start 1']);
  t.same(world.gateway.metadata('m').inputs[0]?.shape, [-1, -1], 'and is what is described');
});

t.test('a load that changes nothing loads nothing', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL });
  const world = await aControl(t, root);
  const before = world.routes.read('m');
  await world.control.load('m', REPOSITORY);
  t.equal(world.hosts.started.length, 1);
  t.same(world.routes.read('m'), before);
});

t.test('a load that fails leaves everything as it was, and says why', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL });
  const world = await aControl(t, root, { models: '{ m: { route: { stable: latest } } }' });
  const route = world.routes.read('m');
  await put(root, 'm/2/model.onnx', OTHER);
  world.hosts.faults.set('m 2', 'the runtime has no such operator');
  await t.rejects(world.control.load('m', REPOSITORY), {
    code: 'load_failed',
    message: "failed to load 'm', the runtime has no such operator",
  });
  await put(root, 'm/1/model.onnx', 'no model at all');
  await t.rejects(world.control.load('m', REPOSITORY), {
    code: 'load_failed',
    message: /^failed to load 'm', version 1: model\.onnx/,
  });
  t.equal(await starts(world), 1);
  t.same(world.routes.read('m'), route);
  t.same(await listed(world), ['m 1 ready']);
});

t.test('what is not in the repository cannot be polled from it', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL });
  await put(root, '../outside/1/model.onnx', MODEL);
  t.teardown(() => rm(join(root, '../outside'), { recursive: true, force: true }));
  const world = await aControl(t, root);
  for (const name of ['absent', '../outside', '..', '', '_hidden', 'a\0b']) {
    await t.rejects(world.control.load(name, REPOSITORY), {
      code: 'load_failed',
      message: /^failed to load '.*', failed to poll from model repository: /s,
    });
  }
  await t.rejects(world.control.unload('absent'), { code: 'model_not_found' });
  t.same(await listed(world), ['m 1 ready'], 'and leaves no trace');
});

t.test('an unloaded model is unknown until it is loaded again', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL, 'n/1/model.onnx': MODEL });
  const world = await aControl(t, root);
  const people = traffic(world, 'n');
  const last = world.gateway.infer(aRequest(), NEVER_ABORTED);
  await world.control.unload('m');
  t.equal((await last).version, '1', 'who came before is answered');
  t.match(world.hosts.closed, [/^m 1 of start \d$/]);
  await t.rejects(world.gateway.infer(aRequest(), NEVER_ABORTED), {
    code: 'model_not_found',
    message: /^Request for unknown model: 'm' is not found/,
  });
  t.same(await listed(world), ['m 1 unloaded', 'n 1 ready']);
  t.equal(world.gateway.serverReadiness().ready, true, 'it is not routed');
  await world.control.unload('m');
  await world.control.load('m', REPOSITORY);
  t.equal(await starts(world), 3);
  t.same((await people.stop()).failures, [], 'the other model never noticed');
});

t.test('a version that a trial is about neither changes nor vanishes under it', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL, 'm/2/model.onnx': MODEL });
  const world = await aControl(t, root, { models: '{ m: { route: { stable: "1" } } }' });
  const spec = aSpec({ model: 'm' });
  t.match(await world.controller.submit({ kind: 'start', spec }), { kind: 'applied' });
  await world.control.load('m', REPOSITORY);
  await put(root, 'm/3/model.onnx', MODEL);
  await world.control.load('m', REPOSITORY);
  t.ok(world.catalog.find({ model: 'm', version: '3' }), 'others may come');
  await put(root, 'm/2/model.onnx', OTHER);
  for (const refused of [world.control.load('m', REPOSITORY), world.control.unload('m')]) {
    await t.rejects(refused, { code: 'conflict', message: /rollout m-2-1 is running/ });
  }
  await world.controller.submit({ kind: 'abort', model: 'm', reason: 'enough' });
  await world.control.load('m', REPOSITORY);
  await world.control.unload('m');
  t.equal(world.routes.read('m'), undefined);
});

t.test('what is on record of a model goes before what is configured', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL, 'm/2/model.onnx': MODEL });
  const world = await aControl(t, root);
  t.equal(world.routes.read('m')?.stable, '2', 'nothing is on record: the newest');
  const shares = [{ arm: 'stable', version: '1', weightBp: 10_000 }] as const;
  const change = { stable: '1', shares, mirror: undefined, revision: 0 };
  const result = await world.controller.submit({ kind: 'setRoute', model: 'm', ...change });
  t.equal(result.kind, 'applied');
  await world.control.unload('m');
  await put(root, 'm/3/model.onnx', MODEL);
  await world.control.load('m', REPOSITORY);
  t.equal(world.routes.read('m')?.stable, '1');
  await rm(join(root, 'm/1'), { recursive: true });
  await t.rejects(world.control.load('m', REPOSITORY), {
    code: 'conflict',
    message: /^failed to load 'm', the route of m leads to version 1, which is not in the repo/,
  });
  t.equal(await starts(world), 3, 'callers are served by it all the same');
  await world.control.unload('m');
  await world.control.load('m', REPOSITORY);
  t.equal(world.routes.read('m')?.stable, '3', 'where nothing is served, the newest is taken');
});

t.test('a newer version gets no traffic by being there, loaded or asked for', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL, 'm/9.bak/model.onnx': MODEL });
  const world = await aControl(t, root);
  t.match(world.log.at(-1), {
    level: 'warn',
    message: /^no configured stable version; recorded the newest, 1, as stable/,
    facts: { model: 'm', version: '1' },
  });
  await put(root, 'm/2/model.onnx', OTHER);
  await put(root, 'm/old/model.onnx', OTHER);
  await world.control.load('m', REPOSITORY);
  t.equal(world.routes.read('m')?.stable, '1');
  t.same(await listed(world), ['m 1 ready', 'm 2 unloaded'], 'and is listed, ready to be tried');
  await world.control.unload('m');
  await world.control.load('m', REPOSITORY);
  t.equal(world.routes.read('m')?.stable, '1');
  t.equal(world.log.filter(({ facts }) => facts?.['version'] !== undefined).length, 1);
});

t.test(
  'a model that was never routed is loaded at its newest, which later loads keep',
  async (t) => {
    const root = await aRepository(t, {});
    const world = await aControl(t, root);
    for (const version of ['1', '10', '9', '9.bak'])
      await put(root, `m/${version}/model.onnx`, MODEL);
    await world.control.load('m', REPOSITORY);
    t.equal(world.routes.read('m')?.stable, '10');
    t.match(world.log.at(-1), { level: 'warn', facts: { model: 'm', version: '10' } });
    await put(root, 'm/11/model.onnx', MODEL);
    await world.control.load('m', REPOSITORY);
    t.equal(world.routes.read('m')?.stable, '10');
  },
);

t.test('following the newest version works where configured, and is logged', async (t) => {
  for (const models of [
    '{ m: { route: { stable: latest } } }',
    '{ m: { versions: { latest: 1 } } }',
    '{ m: { route: { stable: latest, split: { latest: 90, "1": 10 } } } }',
  ]) {
    const root = await aRepository(t, { 'm/1/model.onnx': MODEL, 'm/latest/model.onnx': MODEL });
    const world = await aControl(t, root, { models });
    t.equal(world.routes.read('m')?.stable, '1', models);
    await put(root, 'm/2/model.onnx', OTHER);
    await world.control.load('m', REPOSITORY);
    t.equal(world.routes.read('m')?.stable, '2');
    t.match(world.log.at(-1)?.message, /^new stable version 2 \(was 1\) without proof/);
  }
});

t.test('names that are no numbers are versions where the configuration names them', async (t) => {
  const files = ['1', 'old', '002'].map((version) => [`m/${version}/model.onnx`, MODEL]);
  const root = await aRepository(t, Object.fromEntries(files));
  const models = '{ m: { route: { stable: old, split: { old: 100, "002": 0 } } } }';
  const world = await aControl(t, root, { models });
  t.equal(world.routes.read('m')?.stable, 'old');
  t.match(await listed(world), ['m 1 unloaded', /^m 002 /, 'm old ready']);
});

t.test('loads of one model wait for one another, and for no others', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL, 'n/1/model.onnx': MODEL });
  const world = await aControl(t, root);
  await world.control.unload('m');
  const gate = deferred<void>();
  world.hosts.gate = gate.promise;
  const done: string[] = [];
  const first = world.control.load('m', REPOSITORY).then(() => done.push('load m'));
  const second = world.control.unload('m').then(() => done.push('unload m'));
  await world.control.unload('n').then(() => done.push('unload n'));
  t.match(await listed(world), ['m 1 loading', 'n 1 unloaded']);
  gate.resolve();
  await Promise.all([first, second]);
  t.same(done, ['unload n', 'load m', 'unload m']);
  await world.control.close();
  await t.rejects(world.control.load('m', REPOSITORY), { code: 'version_not_ready' });
});

t.test('a caller may bring a package along; it goes when something else comes', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL });
  const world = await aControl(t, root);
  const files = new Map([['7/model.onnx', OTHER]]);
  await world.control.load('m', { config: undefined, files });
  t.same(await listed(world), ['m 7 ready']);
  const directory = world.catalog.find({ model: 'm', version: '7' })?.directory ?? '';
  t.ok(directory.startsWith(world.brought), 'and not into a folder of the repository');
  await t.rejects(
    world.control.load('m', {
      config: undefined,
      files: new Map([['7/model.onnx', MODEL.slice(9)]]),
    }),
    { code: 'load_failed' },
  );
  await access(directory);
  t.equal((await readdir(world.brought)).length, 1, 'what was brought for nothing is deleted');
  await world.control.load('m', REPOSITORY);
  t.same(await listed(world), ['m 1 ready']);
  await t.rejects(access(directory), { code: 'ENOENT' });
});

t.test('what a caller brings along stays in its own folder', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL });
  const world = await aControl(t, root);
  for (const path of ['../1/model.onnx', '/etc/x', '1/../../x', '1/..', '.', 'a/b/c', '1\\x', '']) {
    const files = new Map([[path, MODEL]]);
    const loading = world.control.load('m', { config: undefined, files });
    await t.rejects(loading, { code: 'invalid_input' }, JSON.stringify(path));
  }
  const together: readonly (readonly string[])[] = [
    ['1', '1/model.onnx'],
    [`1/${'ü'.repeat(200)}`],
  ];
  for (const paths of together) {
    const files = new Map(paths.map((path) => [path, MODEL]));
    const loading = world.control.load('m', { config: undefined, files });
    await t.rejects(loading, { code: 'invalid_input', message: /^files of model 'm': expected/ });
  }
  t.same(await readdir(world.brought), [], 'and nothing stays behind');
  t.equal(world.hosts.started.length, 1);
});

t.test('loads that wait are bounded, over all models', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL });
  const world = await aControl(t, root);
  const loading = Array.from({ length: 40 }, (_, at) =>
    world.control.load(at % 2 === 0 ? 'm' : `absent-${at}`, REPOSITORY).then(
      () => 'loaded',
      ({ code }: { code: string }) => code,
    ),
  );
  const ends = await Promise.all(loading);
  t.equal(ends.filter((end) => end === 'loaded').length, 16);
  t.equal(ends.filter((end) => end === 'overloaded').length, 8);
  await world.control.load('m', REPOSITORY);
});

t.test('a configuration that a caller brings along is how the model is run', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL });
  const world = await aControl(t, root);
  const config = JSON.stringify({ backend: 'onnxruntime', max_batch_size: 5 });
  await world.control.load('m', { config, files: new Map() });
  t.same(world.hosts.started, ['m 1 32', 'm 1 5']);
  t.equal(world.gateway.version('m').facts.rowsMax, 5);
  await world.control.load('m', REPOSITORY);
  t.equal(world.gateway.version('m').facts.rowsMax, 32, 'until it is loaded without');
  const broken = world.control.load('m', { config: '{', files: new Map() });
  await t.rejects(broken, { code: 'load_failed' });
});

t.test('one version that cannot be served keeps no other from being served', async (t) => {
  const root = await aRepository(t, {
    'good/1/model.onnx': MODEL,
    'mixed/1/model.onnx': MODEL,
    'mixed/2/model.onnx': 'no model',
    'bad/1/model.onnx': 'no model',
    'unnamed/1/model.onnx': MODEL,
    'unnamed/1/model.yaml': 'labels: labels.txt',
  });
  const world = await aControl(t, root);
  const lines = await listed(world);
  const unnamed = lines.pop();
  t.match(unnamed, /^unnamed 1 failed expected the labels .* 'unnamed\/1\/labels.txt'$/);
  t.match(lines, [/^bad 1 failed model\.onnx/, 'good 1 ready', 'mixed 1 ready', /^mixed 2 failed/]);
  t.ok(await starts(world, 'mixed'));
  t.equal(world.log.filter(({ message }) => message.startsWith('cannot be served')).length, 3);
  t.equal(world.gateway.serverReadiness().ready, true);
});

t.test('a version that the runtime refuses at the start is known with its reason', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL, 'n/1/model.onnx': MODEL });
  const world = await aControl(t, root, { faults: { 'm 1': 'no such operator' } });
  t.same(await listed(world), ['m 1 failed no such operator', 'n 1 ready']);
  t.same(
    world.log.map(({ level, facts }) => [level, facts?.['model']]),
    [['warn', 'n']],
    'its host reports it, it is no fault of ours, and it is not worth a record',
  );
  t.equal(await starts(world, 'n'), 1, 'others are still loaded');
  t.equal(world.gateway.serverReadiness().ready, true, 'it takes no other away');
  const { ready, reason = '' } = world.gateway.modelReadiness('m');
  t.equal(ready, false);
  t.match(reason, /^'m' version '1' is not at ready state: .*failed \(no such operator\)/);
  await t.rejects(world.control.load('m', REPOSITORY), { code: 'load_failed' });
  t.same(await listed(world), ['m 1 failed no such operator', 'n 1 ready']);
  await world.control.unload('m');
  t.equal(world.gateway.serverReadiness().ready, true, 'a server without it is ready again');
  await t.rejects(world.control.load('m', REPOSITORY), { code: 'load_failed' });
  t.match(await listed(world), [/^m 1 failed .*no such operator/, 'n 1 ready']);
  t.equal(world.gateway.serverReadiness().ready, true, 'a load that fails changes nothing');
  world.hosts.faults.clear();
  await world.control.load('m', REPOSITORY);
  t.same(await listed(world), ['m 1 ready', 'n 1 ready']);
});

t.test('versions that the policy keeps answer those who name them', async (t) => {
  const files = ['1', '2', '3'].map((version) => [`m/${version}/model.onnx`, MODEL]);
  const root = await aRepository(t, Object.fromEntries(files));
  const models = '{ m: { versions: ["1", "2"] } }';
  const world = await aControl(t, root, { models, faults: { 'm 1': 'broken' } });
  t.equal(world.routes.read('m')?.stable, '2', 'the newest that is offered');
  t.match(await listed(world), ['m 1 failed broken', 'm 2 ready', 'm 3 unloaded']);
  world.hosts.faults.clear();
  await world.control.load('m', REPOSITORY);
  const pinned = await world.gateway.infer(aRequest({ version: '1' }), NEVER_ABORTED);
  t.equal(pinned.version, '1');
  const versions = world.gateway.version('m', '1');
  t.equal(world.gateway.version('m', '1'), versions, 'a pinned request allocates nothing');
});
