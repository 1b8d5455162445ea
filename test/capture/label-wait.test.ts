import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { LabelFolder } from '../../src/capture/label-folder.ts';
import { LabelWait, type LabelWaitOptions, type Mature } from '../../src/capture/label-wait.ts';
import { HandClock } from '../../src/core/clock.ts';
import { ServeError } from '../../src/core/errors.ts';

const WINDOW_MS = 1_000;
const UNIT = { requests: 3, windowMs: 100 };

/** Losses are 0 where the label is the payload. */
function aWait(over: Partial<LabelWaitOptions<number>> = {}) {
  const clock = new HandClock();
  const counted: (readonly Mature<number>[])[] = [];
  const units = new Set<string>();
  const wait = new LabelWait<number>({
    windowMs: () => WINDOW_MS,
    unit: UNIT,
    bytesMax: () => 16 * 1_048_576,
    countedUntilMs: 0,
    clock,
    check: (label) => {
      if (typeof label !== 'number') throw new ServeError('invalid_input', 'label: no');
    },
    lossesOf: (payload, label) => {
      if (label === 99) throw new ServeError('invalid_input', 'label: too large');
      return [Number(label !== payload)];
    },
    payloadOf: (stored) => (typeof stored === 'number' ? stored : undefined),
    isCounted: (unit) => units.has(unit),
    recordedWithinMs: () => 0,
    onMature: (cohort, unit) => {
      counted.push(cohort);
      if (unit !== undefined) units.add(unit);
    },
    ...over,
  });
  const pair = (id: string, payload: number, of: { unit?: string; sameAs?: string } = {}) => {
    wait.expect(id);
    return wait.keep(id, { unit: of.unit, sameAs: of.sameAs, payload });
  };
  return { wait, clock, counted, pair };
}

t.test(
  'a request is counted once, when its window has ended, with its label if one came',
  async (t) => {
    const { wait, clock, counted, pair } = aWait();
    pair('a', 1);
    pair('b', 2);
    t.equal(wait.label('a', 1), 'joined');
    clock.advance(WINDOW_MS - 1);
    wait.settle();
    t.same(counted, []);
    clock.advance(1);
    wait.settle();
    wait.settle();
    t.same(counted, [[{ payload: 1, losses: [0] }], [{ payload: 2, losses: undefined }]]);
    t.match(wait.counts(), { waiting: 0, newestMs: 0, dropped: 0 });
  },
);

t.test('a label may come before its answers, and comes once', async (t) => {
  const { wait, pair } = aWait();
  wait.expect('a');
  t.equal(wait.label('a', 1), 'waiting');
  t.equal(wait.label('a', 1), 'duplicate');
  t.equal(wait.keep('a', { unit: undefined, sameAs: undefined, payload: 1 }), 'joined');
  t.equal(wait.label('a', 1), 'duplicate');
  wait.expect('b');
  wait.label('b', 99);
  t.equal(wait.keep('b', { unit: undefined, sameAs: undefined, payload: 1 }), 'unmatched');
  pair('c', 1);
  t.throws(() => wait.label('c', 'x'), { code: 'invalid_input' });
  t.throws(() => wait.label('c', 99), { code: 'invalid_input' });
  t.equal(wait.label('c', 1), 'joined', 'a label that was refused can be corrected');
  t.equal(wait.label('never', 1), 'notSampled');
});

t.test('a request without a pair takes no label', async (t) => {
  const { wait, clock } = aWait();
  wait.expect('a');
  t.equal(wait.abandon('a'), false);
  t.equal(wait.label('a', 1), 'notComparable');
  wait.expect('b');
  wait.label('b', 1);
  t.equal(wait.abandon('b'), true, 'the label that came earlier');
  clock.advance(WINDOW_MS);
  wait.settle();
  t.equal(wait.label('a', 1), 'notSampled', 'it is forgotten');
});

t.test('a unit counts once, whole, with its first requests', async (t) => {
  const { wait, clock, counted, pair } = aWait();
  for (const id of ['a', 'b', 'c', 'd']) pair(id, 1, { unit: 'u' });
  t.equal(wait.label('d', 1), 'notSampled', 'beyond the requests of a unit');
  clock.advance(UNIT.windowMs + 1);
  pair('e', 1, { unit: 'u' });
  pair('f', 1, { unit: 'v' });
  clock.advance(WINDOW_MS - 1);
  wait.settle();
  t.equal(counted.length, 1);
  t.equal(counted[0]?.length, 3);
  pair('g', 1, { unit: 'u' });
  clock.advance(2 * WINDOW_MS);
  wait.settle();
  t.equal(counted.length, 2, 'a unit that has been counted is not counted again');
});

t.test('equal requests without a unit are one', async (t) => {
  const { wait, clock, counted, pair } = aWait();
  pair('a', 1, { sameAs: 'crc' });
  pair('b', 1, { sameAs: 'crc' });
  clock.advance(WINDOW_MS);
  wait.settle();
  pair('c', 1, { sameAs: 'crc' });
  clock.advance(WINDOW_MS);
  wait.settle();
  t.equal(counted.length, 1);
});

t.test('beyond its bytes the oldest request is dropped and counted', async (t) => {
  const { wait, clock, counted, pair } = aWait({ bytesMax: () => 8_000 });
  for (let at = 0; at < 100; at += 1) {
    pair(`r${at}`, at);
    clock.advance(1);
  }
  const { waiting, dropped } = wait.counts();
  t.equal(waiting + dropped, 100);
  t.ok(waiting > 5 && waiting < 30, `${waiting} fit`);
  clock.advance(WINDOW_MS);
  wait.settle();
  t.equal(counted.length, waiting);
  t.equal(counted.at(-1)?.[0]?.payload, 99, 'the newest stay');
});

t.test('every request is counted at most once, in any order of events', async (t) => {
  const event = fc.tuple(
    fc.constantFrom('pair', 'label', 'abandon', 'settle', 'advance'),
    fc.nat({ max: 12 }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const { wait, clock, counted, pair } = aWait();
      const acts: Readonly<Record<string, (id: number) => void>> = {
        pair: (id) => pair(`${id}`, id, id % 3 === 0 ? { unit: 'u' } : {}),
        label: (id) => wait.label(`${id}`, id),
        abandon: (id) => wait.abandon(`${id}`),
        settle: () => wait.settle(),
        advance: (id) => clock.advance(id * 50),
      };
      for (const [kind, id] of events) acts[kind]?.(id);
      clock.advance(10 * WINDOW_MS);
      wait.settle();
      return (
        wait.counts().waiting === 0 && counted.every((cohort) => cohort.length <= UNIT.requests)
      );
    }),
    { numRuns: 200 },
  );
  t.pass();
});

async function aFolder(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'label-wait-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const errors: unknown[] = [];
  const labels = new LabelFolder({
    folder,
    clock: new HandClock(),
    onError: (error) => errors.push(error),
  });
  return { folder, labels, errors };
}

t.test('what waits and its labels outlive the process, and nothing is counted twice', async (t) => {
  const { labels, errors } = await aFolder(t);
  const first = labels.open({ model: 'm', rolloutId: 'one', part: 'pairs' }, () => 1_048_576);
  const before = aWait({ store: first });
  await before.wait.restore();
  before.pair('a', 1);
  before.clock.advance(500);
  before.pair('b', 2);
  before.wait.label('b', 2);
  before.pair('c', 3, { unit: 'u' });
  before.pair('d', 4, { unit: 'u' });
  before.clock.advance(500);
  before.wait.settle();
  t.equal(before.counted.length, 1);
  await first.close();

  const { countedUntilMs } = before.wait.counts();
  const after = aWait({
    store: labels.open({ model: 'm', rolloutId: 'one', part: 'pairs' }, () => 1_048_576),
    countedUntilMs,
  });
  after.clock.advance(1_000);
  t.equal(after.wait.label('d', 4), 'waiting', 'a label that comes while the store is read');
  await after.wait.restore();
  t.equal(after.wait.counts().waiting, 3);
  t.equal(after.wait.label('b', 2), 'duplicate');
  t.equal(after.wait.label('c', 0), 'joined');
  after.clock.advance(WINDOW_MS);
  after.wait.settle();
  t.same(after.counted, [
    [{ payload: 2, losses: [0] }],
    [
      { payload: 3, losses: [1] },
      { payload: 4, losses: [0] },
    ],
  ]);
  t.same(errors, []);
});

t.test('a rollout that has ended leaves nothing, also where its process was killed', async (t) => {
  const { folder, labels } = await aFolder(t);
  const first = labels.open({ model: 'm', rolloutId: 'one', part: 'pairs' }, () => 1_048_576);
  first.append('["l",1,"a",[0]]');
  await first.close();
  const [ofModel = ''] = await readdir(folder);
  const second = labels.open({ model: 'm', rolloutId: 'two', part: 'pairs' }, () => 1_048_576);
  t.same(await second.read(), []);
  second.append('["l",2,"b",[0]]');
  await second.close();
  t.equal((await readdir(join(folder, ofModel))).length, 1, 'only of the second');
  const again = labels.open({ model: 'm', rolloutId: 'two', part: 'pairs' }, () => 1_048_576);
  t.same(await again.read(), [['l', 2, 'b', [0]]]);
  await again.remove();
  t.same(
    (await readdir(join(folder, ofModel), { recursive: true })).filter((name) =>
      name.endsWith('.jsonl'),
    ),
    [],
  );
});

t.test('a line that a kill has torn, and one that is none, are left out', async (t) => {
  const { labels } = await aFolder(t);
  const store = labels.open({ model: 'm', rolloutId: 'one', part: 'pairs' }, () => 1_048_576);
  store.append('["l",1,"a",[0]]');
  store.append('["x"]');
  store.append('["l",2,"b",[0');
  await store.close();
  const next = labels.open({ model: 'm', rolloutId: 'one', part: 'pairs' }, () => 1_048_576);
  t.same(await next.read(), [['l', 1, 'a', [0]]]);
  next.append('["l",3,"c",[0]]');
  await next.close();
  t.equal(
    (await labels.open({ model: 'm', rolloutId: 'one', part: 'pairs' }, () => 1_048_576).read())
      .length,
    2,
  );
});

t.test('the files of a store stay within their bytes, and the oldest go first', async (t) => {
  const { folder, labels } = await aFolder(t);
  const store = labels.open({ model: 'm', rolloutId: 'one', part: 'pairs' }, () => 16_000);
  await store.read();
  for (let at = 0; at < 40; at += 1) {
    store.append(JSON.stringify(['l', at, 'x'.repeat(1_000), [0]]));
    await store.flush();
  }
  await store.close();
  const lines = await labels
    .open({ model: 'm', rolloutId: 'one', part: 'pairs' }, () => 16_000)
    .read();
  t.ok(lines.length >= 10 && lines.length <= 16, `${lines.length} lines are left`);
  t.equal(lines.at(-1)?.[1], 39);
  t.ok(folder);
});

t.test('a disk that takes nothing costs no caller anything and is reported once', async (t) => {
  const errors: unknown[] = [];
  const labels = new LabelFolder({
    folder: '/proc/no/such',
    clock: new HandClock(),
    onError: (error) => errors.push(error),
  });
  const { wait, clock, counted, pair } = aWait({
    store: labels.open({ model: 'm', rolloutId: 'one', part: 'pairs' }, () => 1_048_576),
  });
  await wait.restore();
  pair('a', 1);
  t.equal(wait.label('a', 1), 'joined');
  clock.advance(WINDOW_MS);
  wait.settle();
  t.equal(counted.length, 1);
  t.equal(errors.length, 1);
});

t.test(
  'the secret of tokens outlives the process, and one that is broken is replaced',
  async (t) => {
    const { labels, folder, errors } = await aFolder(t);
    await labels.loadSecret();
    const again = new LabelFolder({ folder, clock: new HandClock(), onError: () => t.fail() });
    await again.loadSecret();
    t.same(again.secret(), labels.secret());
    t.equal(again.secret().byteLength, 32);
    t.same(errors, []);
  },
);

t.test(
  'what has ended is handed over in parts, the oldest first, and all of it in the end',
  async (t) => {
    const { wait, clock, counted, pair } = aWait();
    for (let n = 0; n < 5_000; n += 1) {
      pair(`r${n}`, n);
      clock.advance(1);
    }
    clock.advance(WINDOW_MS);
    const seen = [0, 1, 2, 3].map(() => {
      wait.settle();
      return counted.length;
    });
    t.same(seen, [2_000, 4_000, 5_000, 5_000]);
    t.same(counted[2_000]?.[0]?.payload, 2_000);
    t.equal(wait.counts().waiting, 0);
  },
);

t.test('pairs of one moment are handed over together', async (t) => {
  const { wait, clock, counted, pair } = aWait();
  for (let n = 0; n < 3_000; n += 1) pair(`r${n}`, n);
  clock.advance(WINDOW_MS);
  wait.settle();
  t.equal(counted.length, 3_000);
});

t.test('other work goes on while a store is read back', async (t) => {
  const { labels } = await aFolder(t);
  const open = () => labels.open({ model: 'm', rolloutId: 'one', part: 'pairs' }, () => 1_048_576);
  const before = open();
  await before.read();
  const [count, atMs] = [10_000, new HandClock().wallMs()];
  for (let n = 0; n < count; n += 1)
    before.append(JSON.stringify(['p', atMs, `r${n}`, null, null, n, null]));
  await before.close();
  const { wait } = aWait({ store: open() });
  const seen = new Set<number>();
  const beat = (): void => {
    seen.add(wait.counts().waiting);
    if (wait.counts().waiting < count) setImmediate(beat);
  };
  setImmediate(beat);
  await wait.restore();
  t.equal(wait.counts().waiting, count);
  t.ok(seen.size >= 4, `seen meanwhile: ${[...seen].join(', ')}`);
});
