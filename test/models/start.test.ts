import t from 'tap';
import { deferred } from '../../src/concurrency/deferred.ts';
import { modelsView } from '../../src/models/models-view.ts';
import { repositoryIndexOf } from '../../src/protocol/repository-index.ts';
import { aRequest, NEVER_ABORTED } from '../gateway/builders.ts';
import { anIdentityModel } from '../support/a-model-file.ts';
import { until } from '../support/until.ts';
import { aControl, aRepository, type Control } from './a-control.ts';

const MODEL = anIdentityModel('FP32');

/** A gateway whose model `m` has two versions, and loads until the gate opens. */
async function aStart(t: Parameters<typeof aControl>[0]) {
  const gate = deferred<void>();
  const root = await aRepository(t, { 'm/1/model.onnx': MODEL, 'm/2/model.onnx': MODEL });
  const models = '{ m: { route: { stable: "1" } } }';
  const world = await aControl(t, root, { gate: gate.promise, models });
  t.teardown(() => gate.resolve());
  return { ...world, open: () => gate.resolve() };
}

const isLoading = (world: Control): Promise<unknown> =>
  until('it loads', () => world.starting.whyStarting('m') === 'its versions are loading');

const REFUSAL = { code: 'version_not_ready', message: /^'m' is starting: / };

t.test('a model that starts refuses requests with when to try again, then answers', async (t) => {
  const world = await aStart(t);
  const ask = () => world.gateway.infer(aRequest(), NEVER_ABORTED);
  await t.rejects(ask(), { ...REFUSAL, retryAfterMs: 1_000 });
  t.match(world.gateway.modelReadiness('m'), { ready: false, reason: REFUSAL.message });
  t.match(world.gateway.serverReadiness(), { ready: false, reason: REFUSAL.message });
  await isLoading(world);
  await t.rejects(ask(), { ...REFUSAL, retryAfterMs: 1_000 }, 'though its route is known');
  t.equal(world.routes.read('m')?.stable, '1');
  t.equal(world.gateway.serverReadiness().ready, false);
  world.open();
  await world.started;
  t.equal((await ask()).version, '1');
  t.equal(world.gateway.serverReadiness().ready, true);
});

t.test('what starts is listed as loading, before and after its package is read', async (t) => {
  const world = await aStart(t);
  const listed = async () => repositoryIndexOf(await world.control.index(), { ready: false });
  t.same(await listed(), [{ name: 'm', state: 'LOADING' }]);
  t.match(modelsView(world), [{ model: 'm', starting: /package/, versions: [] }]);
  await isLoading(world);
  t.match(await listed(), [
    { name: 'm', version: '1', state: 'LOADING' },
    { name: 'm', version: '2', state: 'UNAVAILABLE', reason: 'unloaded' },
  ]);
  world.open();
  await world.started;
  t.match(await listed(), [{ version: '1', state: 'READY' }, { version: '2' }]);
  t.notOk(modelsView(world)[0]?.starting);
});

t.test('commands wait for no load of a start: they are refused with the reason', async (t) => {
  const world = await aStart(t);
  const model = 'm';
  const route = { model, revision: 0, stable: '1', shares: [], mirror: undefined } as const;
  for (const command of [
    { kind: 'setRoute', ...route },
    { kind: 'promote', model, reason: '' },
  ] as const) {
    const refusal = await world.controller.submit(command);
    t.match(refusal, { code: 'not_ready', why: /^m is starting \(.*\): ask again/ });
  }
});

t.test('a load call that comes while the model starts is carried out after it', async (t) => {
  const world = await aStart(t);
  const loading = world.control.load('m', { config: undefined, files: new Map() });
  world.open();
  await loading;
  t.equal(world.starting.whyStarting('m'), undefined);
  t.equal((await world.gateway.infer(aRequest(), NEVER_ABORTED)).version, '1');
});
