import t from 'tap';

import type { Outcome } from '../../src/core/outcome.ts';
import { ownTensors } from '../../src/core/own-tensors.ts';
import { aTensor } from '../compare/builders.ts';
import { anAssignment, answered, aRequest, aStage, HandShadowHost, settle } from './builders.ts';

/** Of a request, and of a live answer. */
const BYTES = 8;

const COMPARED = { kind: 'compared', load: 1 } as const;
const FULL = { kind: 'dropped', reason: 'bytesFull', load: 1 } as const;

t.test('copies that run hold their bytes until their outcome is known', async (t) => {
  const stage = aStage({ limits: { concurrency: 9, queueBytesMax: 4 * BYTES } });
  for (const id of ['r1', 'r2']) stage.send(id);
  await settle();
  t.equal(stage.shadow.runs.length, 2, 'none waits');
  t.equal(stage.mirror.heldBytes(), 4 * BYTES);
  stage.send('r3');
  t.same(stage.events, [FULL]);
  for (const run of stage.shadow.runs) run.answer();
  await settle();
  t.equal(stage.mirror.heldBytes(), 0);
  stage.send('r4');
  t.same(stage.events, [FULL, COMPARED, COMPARED]);
  t.equal(stage.mirror.heldBytes(), 2 * BYTES);
});

t.test('a live answer that there is no room for makes no pair', async (t) => {
  const stage = aStage({ limits: { queueBytesMax: 2 * BYTES - 1 } });
  stage.send('r1');
  t.same(stage.events, [FULL]);
  t.same(stage.abandoned, ['r1']);
  t.equal(stage.mirror.heldBytes(), 0);
});

t.test(
  'what a shadow host that hangs does not take counts, whether it is awaited or not',
  async (t) => {
    const stage = aStage({ limits: { queueBytesMax: 1_000 } });
    stage.send('r1');
    await settle();
    stage.shadow.backlog = 999;
    stage.shadow.runs[0]?.reject('deadline_exceeded');
    await settle();
    t.same(stage.events, [{ kind: 'timedOut', load: 1 }]);
    t.equal(stage.mirror.heldBytes(), 999);
    stage.send('r2');
    t.same(stage.events[1], FULL);
    stage.shadow.backlog = 0;
    stage.send('r3');
    await settle();
    t.equal(stage.shadow.runs.length, 2);
  },
);

t.test('the copies of all models are bounded together', async (t) => {
  const stage = aStage({ limits: { bytesMax: 3 * BYTES }, shadowHost: () => new HandShadowHost() });
  const send = (model: string, outcome: Outcome = answered()): void =>
    stage.mirror.tap(aRequest(model, { model }), anAssignment())?.(outcome);
  send('cats');
  send('dogs');
  t.same(stage.events, [FULL], 'a request of dogs fits, its answer does not');
  t.equal(stage.mirror.heldBytes(), 2 * BYTES);
});

t.test('what waits keeps no more memory than about its own bytes', async (t) => {
  const message = new Uint8Array(1_000_000);
  const part = { ...aTensor([1]), data: message.subarray(10, 14) };
  const most = { ...aTensor([1]), data: message.subarray(10) };
  const [mine, same] = ownTensors([part, most]);
  t.equal(mine?.data.buffer.byteLength, 4);
  t.equal(same?.data, most.data, 'is not copied');
});
