import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LabelFolder } from '../../src/capture/label-folder.ts';
import { LabelWait, type Mature } from '../../src/capture/label-wait.ts';
import { HandClock } from '../../src/core/clock.ts';

const WINDOW_MS = 1_000;
const ALONE = { unit: undefined, sameAs: undefined };

/** Labels are numbers, or their names; losses are 0 where the label is the payload. */
function aWait(store?: ReturnType<LabelFolder['open']>) {
  const clock = new HandClock();
  const counted: Mature<number>[] = [];
  const numberOf = (label: unknown): unknown => (label === 'one' ? 1 : label);
  const wait = new LabelWait<number>({
    windowMs: () => WINDOW_MS,
    unit: { requests: 3, windowMs: 100 },
    bytesMax: () => 1_048_576,
    countedUntilMs: 0,
    clock,
    check: () => undefined,
    canonical: numberOf,
    lossesOf: (payload, label) => [Number(numberOf(label) !== payload)],
    payloadOf: (stored) => (typeof stored === 'number' ? stored : undefined),
    isCounted: () => false,
    recordedWithinMs: () => 0,
    onMature: (cohort) => counted.push(...cohort),
    store,
  });
  const count = () => {
    clock.advance(WINDOW_MS);
    wait.settle();
    return counted;
  };
  return { wait, count };
}

async function aStore(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-conflict-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const labels = new LabelFolder({ folder, clock: new HandClock(), onError: (e) => t.error(e) });
  return () => labels.open({ model: 'm', rolloutId: 'r', part: 'pairs' }, () => 1_048_576);
}

t.test('the same label again changes nothing, in other words or not', async (t) => {
  const { wait, count } = aWait();
  wait.expect('a');
  wait.keep('a', { ...ALONE, payload: 1 });
  t.equal(wait.label('a', 1), 'joined');
  t.equal(wait.label('a', [1]), 'duplicate');
  t.equal(wait.label('a', 'one'), 'duplicate');
  t.same(count(), [{ payload: 1, losses: [0] }]);
});

t.test('a label that contradicts the first one makes its request the worst case', async (t) => {
  const { wait, count } = aWait();
  wait.expect('a');
  wait.keep('a', { ...ALONE, payload: 1 });
  t.equal(wait.label('a', 1), 'joined');
  t.equal(wait.label('a', 2), 'conflicting');
  t.equal(wait.label('a', 3), 'conflicting');
  t.equal(wait.label('a', 1), 'duplicate', 'it does not take the contradiction back');
  t.same(count(), [{ payload: 1, losses: [0], isConflicting: true }]);
});

t.test('labels that come before the answers can contradict each other, too', async (t) => {
  const { wait, count } = aWait();
  wait.expect('a');
  t.equal(wait.label('a', 1), 'waiting');
  t.equal(wait.label('a', 1), 'duplicate');
  t.equal(wait.label('a', 2), 'conflicting');
  t.equal(wait.keep('a', { ...ALONE, payload: 1 }), 'joined');
  t.equal(wait.label('a', 1), 'duplicate');
  t.same(count(), [{ payload: 1, losses: [0], isConflicting: true }]);
});

t.test('what contradicts is known after a restart, and so is what it contradicts', async (t) => {
  const open = await aStore(t);
  const store = open();
  const { wait } = aWait(store);
  await wait.restore();
  for (const id of ['joined', 'contradicted', 'early', 'later']) wait.expect(id);
  wait.label('early', 1);
  wait.label('early', 2);
  for (const id of ['joined', 'contradicted', 'early', 'later'])
    wait.keep(id, { ...ALONE, payload: 1 });
  for (const id of ['joined', 'contradicted', 'later']) wait.label(id, 1);
  wait.label('contradicted', 2);
  await store.close();

  const next = aWait(open());
  await next.wait.restore();
  t.equal(next.wait.label('joined', 1), 'duplicate');
  t.equal(next.wait.label('later', 2), 'conflicting');
  const conflicts = next.count().map(({ isConflicting = false }) => isConflicting);
  t.same(conflicts, [false, true, true, true]);
});

t.test(
  'a label whose words were not kept by an earlier version is contradicted by none',
  async (t) => {
    const open = await aStore(t);
    const store = open();
    const atMs = new HandClock().wallMs();
    await store.read();
    store.append(JSON.stringify(['p', atMs, 'a', null, null, 1, [0]]));
    store.append(JSON.stringify(['p', atMs, 'b', null, null, 1, null]));
    store.append(JSON.stringify(['l', atMs, 'b', [0]]));
    await store.close();
    const { wait, count } = aWait(open());
    await wait.restore();
    t.equal(wait.label('a', 2), 'duplicate');
    t.equal(wait.label('b', 2), 'duplicate');
    t.same(count(), [
      { payload: 1, losses: [0] },
      { payload: 1, losses: [0] },
    ]);
  },
);
