import t from 'tap';
import { deferred } from '../../src/concurrency/deferred.ts';
import { aSpec } from '../rollout/builders.ts';
import { anIdentityModel } from '../support/a-model-file.ts';
import { until } from '../support/until.ts';
import { aControl, aRepository, type Control, put } from './a-control.ts';

const MODEL = anIdentityModel('FP32');
const ABORT = { kind: 'abort', model: 'm', reason: 'it hangs' } as const;
const SPEC = aSpec({ model: 'm', stable: '1', candidate: '2' });

/** Versions 1 and 2 are loaded; 3 and 4 come after, and 4 hangs at load until the gate opens. */
async function aWorld(t: Parameters<typeof aRepository>[0], settings: string) {
  const files = { 'm/1/model.onnx': MODEL, 'm/2/model.onnx': MODEL };
  const root = await aRepository(t, files);
  const models = `{ m: { ${settings}, route: { stable: "1" } } }`;
  const world = await aControl(t, root, { models });
  const gate = deferred<void>();
  world.hosts.gates.set('m 4', gate.promise);
  for (const version of ['3', '4']) await put(root, `m/${version}/model.onnx`, MODEL);
  return { world, gate };
}

const ready = ({ deployments }: Control): readonly string[] =>
  deployments
    .versions('m')
    .flatMap(({ version, state }) => (state.kind === 'ready' ? version : []));

const isAsked = ({ hosts }: Control) =>
  until('version 4 is being loaded', () => hosts.asked.includes('m 4'));

t.test('while a reload hangs an abort is recorded, and nothing is loaded twice', async (t) => {
  const { world, gate } = await aWorld(t, 'versions: all');
  await world.controller.submit({ kind: 'start', spec: SPEC });
  await world.controller.loaded('m');
  const reloaded = world.control.reload('m');
  await isAsked(world);
  await until('version 3 is loaded', () => world.hosts.started.some((each) => /^m 3/.test(each)));
  const aborted = await world.controller.submit(ABORT);
  t.match(aborted, { kind: 'applied', notYet: undefined }, 'on record, not only carried out');
  t.match(world.controller.status('m'), { phase: 'aborted' });
  gate.resolve();
  await reloaded;
  t.same(ready(world), ['1', '2', '3', '4']);
  const late = world.hosts.asked.filter((name) => name === 'm 3' || name === 'm 4');
  t.same(
    late.sort(),
    ['m 3', 'm 4'],
    'what was loaded stays, though a route was written meanwhile',
  );
});

t.test('a route to a version that hangs holds no other command', async (t) => {
  const { world, gate } = await aWorld(t, 'batch: off');
  await world.control.reload('m');
  const revision = world.routes.read('m')?.revision ?? 0;
  const shares = [{ arm: 'stable', version: '4', weightBp: 10_000 }] as const;
  const command = { kind: 'setRoute', model: 'm', stable: '4', shares, mirror: undefined } as const;
  const set = world.controller.submit({ ...command, revision });
  await isAsked(world);
  t.match(await world.controller.submit(ABORT), { code: 'no_rollout' }, 'answered immediately');
  t.equal(world.routes.read('m')?.stable, '1');
  gate.reject(new Error('no such operator'));
  t.match(await set, { code: 'not_ready', why: /no such operator/ });
  t.equal(world.routes.read('m')?.stable, '1');
  t.same(ready(world), ['1']);
});

t.test('loads that wait for one that hangs keep no look at another model waiting', async (t) => {
  const { world, gate } = await aWorld(t, 'versions: all');
  const reloads = [world.control.reload('m')];
  await isAsked(world);
  for (let waiting = 1; waiting < 32; waiting += 1) reloads.push(world.control.reload('m'));
  await t.rejects(world.control.reload('m'), { code: 'overloaded' });
  let hasLooked = false;
  await world.control.inTurn('n', async () => {
    hasLooked = true;
  });
  t.ok(hasLooked);
  gate.resolve();
  await Promise.all(reloads);
});
