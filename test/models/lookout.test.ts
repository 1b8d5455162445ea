import { rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Lookout, type Waits } from '../../src/models/lookout.ts';
import { modelsView } from '../../src/models/models-view.ts';
import { anIdentityModel } from '../support/a-model-file.ts';
import { until } from '../support/until.ts';
import {
  aControl,
  aRepository,
  type Control,
  type ControlParts,
  put,
  READERS,
} from './a-control.ts';

const MODEL = anIdentityModel('FP32');
const OTHER = anIdentityModel('FP32', [-1, -1]);
const POLL_MS = 20;
/** A busy machine reads slowly; only a test of that gives up early. */
const PATIENT: Waits = { listMs: 60_000, commandMs: 60_000, modelMs: 60_000 };

type Teardown = Parameters<typeof aRepository>[0];

/** A gateway's models and their lookout, on a repository in which `m` has version 1. */
type Parts = ControlParts & { readonly pollMs?: number; readonly waits?: Waits };

async function aWorld(t: Teardown, parts: Parts = {}) {
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL });
  const world = await aControl(t, root, { modelControl: 'none', ...parts });
  return { ...world, root, ...looking(t, world, parts) };
}

function looking(t: Teardown, world: Control, { pollMs, waits = PATIENT }: Parts) {
  const { control, deployments } = world;
  const readers = { ...READERS };
  const lookout = new Lookout({
    readers: {
      read: (order) => readers.read(order),
      list: (directory) => readers.list(directory),
    },
    ...{ ...world, config: { ...world.loaded, repositoryPollMs: pollMs } },
    ...{ control, deployments, waits },
    log: (entry) => world.log.push(entry),
    onInternalError: (operation, error) =>
      world.log.push({ level: 'error', message: `${operation}: ${String(error)}` }),
  });
  t.teardown(() => lookout.stop());
  return {
    ...{ lookout, readers },
    view: (model = 'm') => modelsView(world).find((each) => each.model === model),
  };
}

type World = Awaited<ReturnType<typeof aWorld>>;

function states({ view }: World, model = 'm'): readonly string[] {
  return (view(model)?.versions ?? []).map(({ version, state }) => `${version} ${state}`);
}

function told({ log }: World, level: string): readonly string[] {
  return log.flatMap((entry) => (entry.level === level ? [entry.message] : []));
}

t.test('a look lists what is new and moves no traffic', async (t) => {
  const world = await aWorld(t);
  await put(world.root, 'm/2/model.onnx', OTHER);
  await put(world.root, 'm/2.bak/model.onnx', OTHER);
  await put(world.root, 'n/1/model.onnx', MODEL);
  await put(world.root, 'broken/1/model.onnx', 'no model');
  await symlink('nowhere', join(world.root, 'dangling'));
  t.equal(await world.lookout.lookAll(), true);
  t.same(states(world), ['1 ready', '2 unloaded']);
  t.same(world.view()?.leftAside, ['2.bak']);
  t.equal(world.routes.read('m')?.stable, '1');
  t.same(states(world, 'n'), ['1 unloaded']);
  t.match(world.view('n')?.reason, /no traffic is routed to it; .*: understudy models reload n$/);
  t.match(world.view('broken')?.versions, [{ state: 'refused', reason: /^model\.onnx/ }]);
  t.match(world.view('dangling')?.reason, /found a link to something that is not there/);
  t.equal(world.hosts.started.length, 1, 'and loads nothing');
  const before = world.log.length;
  await world.lookout.lookAll();
  t.equal(world.log.length, before, 'a change is reported once');
});

t.test('a version that runs only in the shadow is shown as its process is', async (t) => {
  const world = await aWorld(t);
  await put(world.root, 'm/2/model.onnx', OTHER);
  await world.lookout.lookAll();
  let open = (): void => undefined;
  world.hosts.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const shares = [{ arm: 'stable', version: '1', weightBp: 10_000 }] as const;
  const mirror = { version: '2', sampleBp: 10_000, twinBp: 0 };
  const route = { stable: '1', shares, mirror, revision: 0 };
  const set = world.controller.submit({ kind: 'setRoute', model: 'm', ...route });
  await until('its shadow host loads', () => world.view()?.versions[1]?.state === 'loading');
  open();
  t.match(await set, { kind: 'applied' });
  const roles = [{ role: 'shadow', weightBp: 10_000 }];
  t.match(world.view()?.versions[1], { version: '2', state: 'ready', roles });
  world.hosts.shadowState = { kind: 'failed', reason: 'it keeps dying' };
  t.match(world.view()?.versions[1], { state: 'failed', reason: 'it keeps dying', roles });
  t.match(world.gateway.modelReadiness('m', '2'), { ready: false }, 'it answers no client');
});

t.test('a version that a command names is looked for under any name', async (t) => {
  const world = await aWorld(t);
  await put(world.root, 'm/old/model.onnx', OTHER);
  await put(world.root, 'm/01/model.onnx', OTHER);
  await world.lookout.lookAt('m', ['old']);
  t.same(states(world), ['1 ready', 'old unloaded']);
  await world.lookout.lookAll();
  t.same(states(world), ['1 ready', 'old unloaded'], 'and stays one');
  const shares = [{ arm: 'stable', version: 'old', weightBp: 10_000 }] as const;
  const route = { stable: 'old', shares, mirror: undefined, revision: 0 };
  const set = await world.controller.submit({ kind: 'setRoute', model: 'm', ...route });
  t.equal(set.kind, 'applied');
});

t.test(
  'files that change under a version at work are said, and taken up by a reload',
  async (t) => {
    const world = await aWorld(t);
    await put(world.root, 'm/1/model.yaml', 'task: other');
    await world.lookout.lookAll();
    t.equal(world.catalog.find({ model: 'm', version: '1' })?.task, undefined);
    const said = 'its files changed since they were read';
    t.match(world.view()?.versions, [
      { state: 'ready', reason: `${said}; to take them up: understudy models reload m` },
    ]);
    t.match(told(world, 'warn').at(-1), new RegExp(`^${said}; still serving what was read`));
    const lines = world.log.length;
    await world.lookout.lookAll();
    t.equal(world.log.length, lines, 'once');
    await world.control.reload('m');
    t.equal(world.catalog.find({ model: 'm', version: '1' })?.task, 'other');
    t.equal(world.view()?.versions[0]?.reason, undefined);
    t.equal(world.hosts.started.length, 2);
    await put(world.root, 'm/config.pbtxt', 'max_batch_size: 3');
    await put(world.root, 'm/2/model.onnx', MODEL);
    await world.lookout.lookAll();
    t.match(world.view()?.reason, /^its config.pbtxt changed since it was read; to take/);
    t.same(states(world), ['1 ready'], 'nothing is read with settings of two times');
    await world.control.reload('m');
    t.same(states(world), ['1 ready', '2 unloaded']);
  },
);

t.test('files that are put back have not changed', async (t) => {
  const world = await aWorld(t);
  await put(world.root, 'm/1/model.onnx', OTHER);
  await world.lookout.lookAll();
  t.match(world.view()?.versions[0]?.reason, /^its files changed/);
  await put(world.root, 'm/1/model.onnx', MODEL);
  await world.lookout.lookAll();
  t.equal(world.view()?.versions[0]?.reason, undefined);
});

t.test('a version at work whose folder goes is served on, and comes back', async (t) => {
  const world = await aWorld(t);
  await put(world.root, 'm/2/model.onnx', MODEL);
  await rename(join(world.root, 'm/1'), join(world.root, '_away'));
  await world.lookout.lookAll();
  t.match(world.view()?.versions[0], {
    ...{ version: '1', state: 'ready' },
    reason: /^its files changed since they were read: its folder is gone; to take/,
  });
  await rename(join(world.root, '_away'), join(world.root, 'm/1'));
  await world.lookout.lookAll();
  t.equal(world.view()?.versions[0]?.reason, undefined);
  await rm(join(world.root, 'm'), { recursive: true });
  await world.lookout.lookAll();
  t.match(world.view()?.reason, /^its folder changed since it was read: expected a directory/);
  t.same(states(world), ['1 ready', '2 unloaded']);
});

t.test('what is not loaded is reloaded from disk, and may go', async (t) => {
  const world = await aWorld(t);
  await put(world.root, 'm/2/model.onnx', MODEL);
  await world.lookout.lookAll();
  const digest = () => world.catalog.find({ model: 'm', version: '2' })?.digest;
  const first = digest();
  await put(world.root, 'm/2/model.onnx', OTHER);
  await world.lookout.lookAll();
  t.not(digest(), first);
  t.match(told(world, 'info').at(-1), /^files of an unloaded version changed/);
  await rm(join(world.root, 'm/2'), { recursive: true });
  await world.lookout.lookAll();
  t.same(states(world), ['1 ready']);
});

t.test('the poll takes up what is the same in two looks, and nothing half copied', async (t) => {
  const world = await aWorld(t, { pollMs: POLL_MS });
  // What a copy does: the folder, then the file piece by piece, the whole of it only at the end.
  let isCopying = true;
  const copying = (async () => {
    for (let at = 0; isCopying; at += 1) await put(world.root, 'n/1/model.onnx', `piece ${at}`);
  })();
  world.lookout.start();
  await put(world.root, 'm/2/model.onnx', OTHER);
  await until('version 2 is listed', () => states(world).includes('2 unloaded'));
  t.equal(world.routes.read('n'), undefined, 'nothing was taken up of the model being copied');
  t.same(told(world, 'error'), [], 'and nothing is called broken');
  isCopying = false;
  await copying;
  await put(world.root, 'n/1/model.onnx', MODEL);
  await until('the new model is served', () => states(world, 'n').includes('1 ready'));
  t.equal(world.routes.read('n')?.stable, '1');
  t.match(told(world, 'warn').at(-1), /recorded the newest, 1, as stable/);
  t.equal(world.routes.read('m')?.stable, '1', 'and no traffic was moved');
});

t.test('the poll moves a model that follows its newest version, and says so', async (t) => {
  const models = '{ m: { versions: { latest: 2 } } }';
  const world = await aWorld(t, { pollMs: POLL_MS, models });
  world.lookout.start();
  await put(world.root, 'm/2/model.onnx', OTHER);
  await until('version 2 is stable', () => world.routes.read('m')?.stable === '2');
  await until('it is told', () => told(world, 'warn').length > 0);
  t.match(told(world, 'warn').at(-1), /^new stable version 2 \(was 1\) without proof/);
  world.hosts.faults.set('m 3', 'no such operator');
  await put(world.root, 'm/3/model.onnx', MODEL);
  await until('version 3 is listed', () => states(world).some((state) => state.startsWith('3')));
  t.equal(world.routes.read('m')?.stable, '2', 'what cannot be loaded gets no traffic');
  t.match(told(world, 'error').at(-1), /^not loaded \(.*no such operator.*\); listed only$/s);
});

t.test('where callers load models, the poll only lists', async (t) => {
  const world = await aWorld(t, { pollMs: POLL_MS, modelControl: 'explicit' });
  await world.control.unload('m');
  world.lookout.start();
  await put(world.root, 'n/1/model.onnx', MODEL);
  await put(world.root, 'm/2/model.onnx', MODEL);
  await until(
    'both are listed',
    () => states(world).length === 2 && states(world, 'n').length === 1,
  );
  t.same(states(world), ['1 unloaded', '2 unloaded']);
  t.same(states(world, 'n'), ['1 unloaded']);
  t.equal(world.routes.read('m'), undefined);
});

t.test('a repository that cannot be read is reported once, and keeps what was read', async (t) => {
  const world = await aWorld(t, { pollMs: 1 });
  await rename(world.root, `${world.root}-away`);
  t.teardown(() => rm(`${world.root}-away`, { recursive: true, force: true }));
  await world.lookout.lookAll();
  world.lookout.start();
  await world.lookout.lookAll();
  t.same(states(world), ['1 ready']);
  t.match(told(world, 'error'), [/^repository: scan failed \(/]);
});

t.test('a model that is not there is not listed under any name', async (t) => {
  const world = await aWorld(t);
  await put(world.root, '../outside/1/model.onnx', MODEL);
  t.teardown(() => rm(join(world.root, '../outside'), { recursive: true, force: true }));
  for (const name of ['absent', '../outside', '.', '_brought', 'ü'.repeat(200), '']) {
    await world.lookout.lookAt(name, ['1']);
    t.equal(world.view(name), undefined, name);
  }
  await put(world.root, 'n/1/model.onnx', MODEL);
  await world.lookout.lookAll();
  t.ok(world.view('n'));
  await rm(join(world.root, 'n'), { recursive: true });
  await world.lookout.lookAll();
  t.equal(world.view('n'), undefined, 'and one that is not in use may go');
});

t.test('commands for a model whose files hang begin no second look at it', async (t) => {
  const world = await aWorld(t, { waits: { ...PATIENT, commandMs: 100 } });
  let [reads, fail] = [0, (_: Error): void => undefined];
  world.readers.read = () => {
    reads += 1;
    return new Promise((_, reject) => {
      fail = reject;
    });
  };
  for (const version of ['2', '3', '4'])
    await t.rejects(world.lookout.lookAt('m', [version]), { code: 'version_not_ready' });
  t.equal(reads, 1);
  fail(new Error('its files cannot be read'));
  await until('it is said', () => told(world, 'error').length > 0);
  t.match(told(world, 'error'), [/^look at m: Error: its files cannot be read/]);
  t.same(states(world), ['1 ready'], 'and what was read before stays');
  world.readers.read = (order) => {
    reads += 1;
    return READERS.read(order);
  };
  await put(world.root, 'm/2/model.onnx', OTHER);
  await world.lookout.lookAll();
  t.same(states(world), ['1 ready', '2 unloaded']);
  t.equal(reads, 2, 'and none of those commands looks after all');
});

// A file without an end, as far as a test can wait: one of 512 GiB without a block of its own.
t.test('files that take for ever to read hold nothing but themselves', async (t) => {
  const waits = { listMs: 2_000, commandMs: 200, modelMs: 3_000 };
  const world = await aWorld(t, { waits });
  await put(world.root, 'a/1/model.onnx', OTHER);
  const weights = join(world.root, 'a/1/weights');
  await writeFile(weights, '');
  await truncate(weights, 2 ** 39);
  await put(world.root, 'm/2/model.onnx', OTHER);
  t.equal(await world.lookout.lookAll(), false, 'the list comes, and says that it may be old');
  await until('version 2 is listed', () => states(world).includes('2 unloaded'));
  await t.rejects(world.lookout.lookAt('a', ['1']), {
    code: 'version_not_ready',
    message: 'a: its files are still being read; ask again in a moment',
  });
  await world.control.reload('m');
  await put(world.root, 'm/3/model.onnx', OTHER);
  t.equal(await world.lookout.lookAll(), true, 'and the model that hangs is left out from then on');
  t.same(states(world), ['1 ready', '2 unloaded', '3 unloaded']);
  // What still reads it comes to its end.
  await truncate(weights, 0);
});
