import { appendFile, rm, writeFile } from 'node:fs/promises';
import t from 'tap';
import { deferred } from '../../src/concurrency/deferred.ts';
import { ConfigFile } from '../../src/config/config-file.ts';
import { messageOf } from '../../src/core/errors.ts';
import { ConfigReload, type ReloadResult } from '../../src/models/config-reload.ts';
import { Lookout } from '../../src/models/lookout.ts';
import { aRequest, NEVER_ABORTED } from '../gateway/builders.ts';
import { aSpec } from '../rollout/builders.ts';
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
const STABLE_1 = '{ m: { route: { stable: "1" } } }';

type Teardown = Parameters<typeof aRepository>[0];
type WorldParts = ControlParts & { readonly settle?: () => Promise<void> };

/** A gateway whose repository has versions 1 and 2 of `m`, and a model `n`; the file says what `models` says. */
async function aWorld(t: Teardown, models: string, { settle, ...parts }: WorldParts = {}) {
  const files = { 'm/1/model.onnx': MODEL, 'm/2/model.onnx': OTHER, 'n/1/model.onnx': MODEL };
  const root = await aRepository(t, files);
  const world = await aControl(t, root, { models, modelControl: 'none', ...parts });
  const options = {
    ...world,
    log: (entry: Control['log'][number]) => void world.log.push(entry),
    onInternalError: (operation: string, error: unknown) =>
      void world.log.push({ level: 'error', message: `${operation}: ${String(error)}` }),
  };
  const lookout = new Lookout({ ...options, readers: READERS });
  t.teardown(() => lookout.stop());
  const file = new ConfigFile(world.file, settle === undefined ? {} : { settle });
  const configFile = { file, source: await file.readFirst() };
  const { control: repository } = world;
  const ends: boolean[] = [];
  const onReload = (isSuccess: boolean): void => void ends.push(isSuccess);
  const reloads = new ConfigReload({ ...options, repository, lookout, configFile, onReload });
  return {
    ...world,
    root,
    lookout,
    /** Of each reload, whether it succeeded. */
    ends,
    reload: (isDryRun = false) => reloads.reload({ actor: 'admin', reason: 'a test', isDryRun }),
    write: (text: string) => writeFile(world.file, text),
    writeModels: (text: string, more = '') => writeFile(world.file, fileOf(text, more)),
  };
}

type World = Awaited<ReturnType<typeof aWorld>>;

function fileOf(models: string, more = ''): string {
  return `apiVersion: understudy/v1\nserver: { modelControl: none }\nmodels: ${models}\nrepository: .\n${more}`;
}

/** `key: from -> to (effect)`, or why it was refused. */
function told(result: ReloadResult): readonly string[] {
  if (result.kind === 'refused') return [`${result.code}: ${result.why}`];
  return result.changes.map(({ key, from, to, effect }) => `${key}: ${from} -> ${to} (${effect})`);
}

function commandsOf({ ledger }: World) {
  return ledger.records().flatMap(({ body }) => {
    return body.kind === 'command' && body.command.kind === 'reloadConfig'
      ? [{ ...body.command, refused: body.refused }]
      : [];
  });
}

/** Answers one after the other until it is stopped; resolves with what went wrong. */
function traffic({ gateway }: World, model = 'm') {
  const failures: string[] = [];
  let isOn = true;
  const running = (async () => {
    while (isOn)
      await gateway.infer(aRequest({ model }), NEVER_ABORTED).catch((error: unknown) => {
        failures.push(messageOf(error));
      });
  })();
  return async () => {
    isOn = false;
    await running;
    return failures;
  };
}

t.test('a file that says what runs changes nothing and is not on record', async (t) => {
  const world = await aWorld(t, STABLE_1);
  const records = world.ledger.records().length;
  t.same(told(await world.reload()), []);
  await world.writeModels('{ m: { route: { stable: "1" }, queue: { deadlineMs: 1000 } } }');
  t.same(told(await world.reload()), [], 'nor does a default that is written out');
  t.equal(world.ledger.records().length, records);
});

t.test('limits take effect without a host being started, and are on record', async (t) => {
  const world = await aWorld(t, STABLE_1);
  const started = world.hosts.started.length;
  await world.writeModels('{ m: { route: { stable: "1" }, queue: { deadlineMs: 70 } } }');
  const lines = ['models.m.queue.deadlineMs: 1000 (default) -> 70 (applied)'];
  t.same(told(await world.reload()), lines);
  t.equal(world.catalog.settings('m').routing.deadlineMs, 70);
  t.equal(world.hosts.started.length, started);
  t.match(commandsOf(world), [
    { actor: 'admin', reason: 'a test', refused: undefined, routes: [], changes: { length: 1 } },
  ]);
  t.ok(
    world.log.some(({ message }) => message === lines[0]),
    'and in the log',
  );
});

t.test('what is run otherwise takes over between two requests', async (t) => {
  const world = await aWorld(t, STABLE_1);
  const stop = traffic(world);
  for (const rows of [8, 4, 2, 1]) {
    await world.writeModels(`{ m: { route: { stable: "1" }, batch: { rowsMax: ${rows} } } }`);
    t.match(told(await world.reload()), [/models\.m\.batch\.rowsMax: .* \(applied\)/]);
    t.equal(world.hosts.started.at(-1), `m 1 ${rows}`);
  }
  t.same(await stop(), []);
  await until('the old ones are closed', () => world.hosts.closed.length === 4);
});

t.test('an unchanged route never overrules the ledger', async (t) => {
  const world = await aWorld(t, STABLE_1);
  const shares = [{ arm: 'stable', version: '2', weightBp: 10_000 }] as const;
  const { revision = 0 } = world.routes.read('m') ?? {};
  const promoted = { kind: 'setRoute', model: 'm', revision, stable: '2', shares } as const;
  t.match(await world.controller.submit({ ...promoted, mirror: undefined }), { kind: 'applied' });
  await world.writeModels('{ m: { route: { stable: "1" }, batch: { rowsMax: 8 } } }');
  t.equal(told(await world.reload()).length, 1);
  t.equal(world.routes.read('m')?.stable, '2');
  t.same((await world.gateway.infer(aRequest(), NEVER_ABORTED)).version, '2');
});

t.test('a changed route is a command on record', async (t) => {
  const world = await aWorld(t, STABLE_1);
  const stop = traffic(world);
  await world.writeModels('{ m: { route: { stable: "2", split: { "2": 90, "1": 10 } } } }');
  t.same(told(await world.reload()), [
    'models.m.route.split: not set -> {"1":10,"2":90} (applied)',
    'models.m.route.stable: 1 -> 2 (applied)',
  ]);
  t.match(world.routes.read('m'), { stable: '2', shares: { length: 2 } });
  t.same(await stop(), []);
  t.match(commandsOf(world), [{ routes: [{ model: 'm', stable: '2' }] }]);
  t.match(world.ledger.records().at(-1)?.body, { kind: 'route', route: { stable: '2' } });
});

t.test('a route that is no longer written stays, and is on record', async (t) => {
  const world = await aWorld(t, STABLE_1);
  await world.writeModels('{}');
  t.same(told(await world.reload()), ['models.m.route.stable: 1 -> not set (applied)']);
  t.equal(world.routes.read('m')?.stable, '1', 'and not the newest version');
  t.match(world.ledger.records().at(-1)?.body, { kind: 'route', route: { stable: '1' } });
});

t.test(
  'a route and other settings of a running trial wait for its end, with all the rest',
  async (t) => {
    const world = await aWorld(t, STABLE_1);
    const { controller } = world;
    const spec = aSpec({ model: 'm', stable: '1', candidate: '2' });
    t.match(await controller.submit({ kind: 'start', spec }), { kind: 'applied' });
    await until('it has begun', () => world.routes.read('m')?.mirror !== undefined);
    const route = world.routes.read('m');
    for (const [section, key] of [
      ['route: { stable: "2" }', 'route'],
      ['route: { stable: "1", sticky: "header:x-user" }', 'route'],
      ['route: { stable: "1" }, attributes: { tone: "header:x-tone" }', 'attributes'],
    ] as const) {
      await world.writeModels(`{ m: { ${section} }, n: { queue: { deadlineMs: 70 } } }`);
      const why = `rollout_running: models.m.${key}: rollout m-2-1 is running: promote or abort it first`;
      t.same(told(await world.reload(true)), [why], 'a dry run says so');
      t.same(told(await world.reload()), [why]);
    }
    t.same(world.routes.read('m'), route);
    t.equal(world.catalog.settings('n').routing.deadlineMs, 1_000, 'n is as it was');
    t.match(commandsOf(world).at(-1), { refused: /rollout m-2-1 is running/ });
    await world.writeModels('{ m: { route: { stable: "1" }, batch: { rowsMax: 8 } } }');
    t.match(told(await world.reload()), [/version [12] is part of it: promote or abort it first/]);
    await world.writeModels('{ m: { route: { stable: "1" }, queue: { deadlineMs: 70 } } }');
    t.match(told(await world.reload()), [/deadlineMs/], 'what a trial does not rest on is applied');
  },
);

t.test('where one model cannot be loaded, nothing changes for any', async (t) => {
  const world = await aWorld(t, STABLE_1);
  const [stop, stopOther] = [traffic(world), traffic(world, 'n')];
  world.hosts.faults.set('n 1', 'out of memory');
  const section = 'batch: { rowsMax: 8 }';
  await world.writeModels(`{ m: { route: { stable: "1" }, ${section} }, n: { ${section} } }`);
  t.same(told(await world.reload()), ['not_ready: models.n: out of memory']);
  t.equal(world.catalog.settings('m').batch.rowsMax, 32);
  await until('what was loaded for nothing is closed', () => world.hosts.closed.length === 1);
  t.same(world.hosts.closed, ['m 1 of start 3']);
  t.match(commandsOf(world), [{ refused: 'models.n: out of memory' }]);
  world.hosts.faults.clear();
  t.equal(told(await world.reload()).length, 2, 'and it can be tried again');
  t.same([...(await stop()), ...(await stopOther())], []);
});

t.test(
  'what needs a restart is named each time, stays, and keeps nothing else waiting',
  async (t) => {
    const world = await aWorld(t, STABLE_1);
    const { ledger } = world.config;
    const section = '{ m: { route: { stable: "1" }, queue: { deadlineMs: 70 } } }';
    await world.writeModels(section, 'ledger: ./elsewhere\n');
    const restart = 'ledger: ./var/ledger (default) -> ./elsewhere (restart)';
    t.same(told(await world.reload()), [
      restart,
      'models.m.queue.deadlineMs: 1000 (default) -> 70 (applied)',
    ]);
    t.equal(world.config.ledger, ledger);
    t.same(told(await world.reload()), [restart]);
  },
);

t.test('a bad file changes nothing and says where', async (t) => {
  const world = await aWorld(t, STABLE_1);
  for (const [text, message] of [
    ['models: [', /understudy\.yaml:\d+:\d+ /],
    [
      fileOf('{ m: { rout: { stable: "2" } } }'),
      /:3:16 models\.m\.rout: unknown key "rout"\. Did you mean "route"/,
    ],
    ['', /_understudy\.yaml:1:1 /],
    [
      fileOf('{ m: { route: { stable: "7" } } }'),
      /no version 7 of m in the repository: found 1, 2/,
    ],
  ] as const) {
    await world.write(text);
    const said = await world.reload().then((result) => told(result).join(), messageOf);
    t.match(said, message);
    t.match(world.log.at(-1), { level: 'error', message: /^configuration not reloaded \(admin\)/ });
  }
  await rm(world.file);
  await t.rejects(world.reload(), { code: 'invalid_input', message: /expected a readable file/ });
  t.equal(world.routes.read('m')?.stable, '1');
  t.same(world.ends, [false, false, false, false, false]);
});

t.test('a file that is being written is read once it stands still', async (t) => {
  const text = fileOf('{ m: { route: { stable: "1" }, queue: { deadlineMs: 70 } } }');
  // The first part alone is valid too, and says something else.
  const parts = [text.slice(0, text.indexOf('models')), text.slice(text.indexOf('models'))];
  const writeNext = async (): Promise<void> => appendFile(world.file, parts.shift() ?? '');
  const world = await aWorld(t, STABLE_1, { settle: writeNext });
  await world.write('');
  await writeNext();
  t.same(told(await world.reload()), ['models.m.queue.deadlineMs: 1000 (default) -> 70 (applied)']);
  t.same(parts, [], 'the second part was written between two readings');
});

t.test('reloads come one after the other, and a long line of them is refused', async (t) => {
  const world = await aWorld(t, STABLE_1);
  const gate = deferred<void>();
  world.hosts.gate = gate.promise;
  await world.writeModels('{ m: { route: { stable: "1" }, batch: { rowsMax: 8 } } }');
  const all = Array.from({ length: 8 }, () => world.reload());
  await t.rejects(world.reload(), { code: 'overloaded' });
  gate.resolve();
  const results = await Promise.all(all);
  t.same(
    results.map((result) => told(result).length),
    [1, 0, 0, 0, 0, 0, 0, 0],
  );
  t.equal(world.hosts.started.filter((name) => name === 'm 1 8').length, 1);
});

t.test('a dry run says what would change and changes nothing', async (t) => {
  const world = await aWorld(t, STABLE_1);
  const records = world.ledger.records().length;
  const section = 'route: { stable: "2" }, batch: { rowsMax: 8 }, queue: { deadlineMs: 70 }';
  await world.writeModels(`{ m: { ${section} } }`);
  t.equal(told(await world.reload(true)).length, 3);
  t.equal(world.routes.read('m')?.stable, '1');
  t.equal(world.catalog.settings('m').routing.deadlineMs, 1_000);
  t.equal(world.hosts.started.length, 2);
  t.equal(world.ledger.records().length, records);
  t.same(world.ends, []);
  t.equal(told(await world.reload()).length, 3);
  t.same(world.ends, [true]);
});

t.test('to follow the newest version overrules nothing that is on record', async (t) => {
  const world = await aWorld(t, STABLE_1);
  await world.writeModels('{ m: { route: { stable: latest } }, n: { route: { stable: "1" } } }');
  t.equal(told(await world.reload()).length, 2);
  t.equal(world.routes.read('m')?.stable, '2', 'where nothing is recorded it moves immediately');
  await world.writeModels('{ m: { route: { stable: "1" } }, n: { route: { stable: "1" } } }');
  t.equal(told(await world.reload()).length, 1);
  t.equal(world.routes.read('m')?.stable, '1');
  await world.writeModels('{ m: { route: { stable: latest } }, n: { route: { stable: "1" } } }');
  t.match(told(await world.reload()), [/^route_in_the_way: .*the ledger says stable 1/]);
});

t.test(
  'a model that is named for the first time is served, or the answer says why not',
  async (t) => {
    const world = await aWorld(t, STABLE_1);
    await put(world.root, 'new/1/model.onnx', MODEL);
    await put(world.root, 'm/2.bak/model.onnx', OTHER);
    await world.writeModels('{ m: { route: { stable: "2.bak" } }, new: {}, absent: {} }');
    const result = await world.reload();
    t.match(result, { kind: 'done', notes: { length: 1, 0: /^models\.absent: not served: / } });
    t.equal(world.routes.read('new')?.stable, '1');
    t.equal(world.routes.read('m')?.stable, '2.bak', 'and so is a folder that was left aside');
  },
);

t.test('the repository is looked at as often as the file says from then on', async (t) => {
  const world = await aWorld(t, STABLE_1);
  await world.write(fileOf(STABLE_1).replace('repository: .', 'repository: { path: ., poll: 1s }'));
  t.same(told(await world.reload()), ['repository.poll: off (default) -> 1s (applied)']);
  await put(world.root, 'm/3/model.onnx', MODEL);
  await until('the new version is found', () => world.catalog.find({ model: 'm', version: '3' }));
});
