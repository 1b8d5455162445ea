import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t, { type Test } from 'tap';
import { LabelFolder } from '../../src/capture/label-folder.ts';
import type { LabelStore } from '../../src/capture/label-store.ts';
import { SentIds } from '../../src/capture/sent-ids.ts';
import { HandClock } from '../../src/core/clock.ts';

const WINDOW_MS = 1_000;
const MINE = { caller: 'key:mine', ofAny: false };
const RATER = { caller: 'key:rater', ofAny: true };

function someIds(parts: { store?: LabelStore; clock?: HandClock; bytesMax?: number } = {}) {
  const { clock = new HandClock(), bytesMax = 1_048_576 } = parts;
  const ids = new SentIds({
    windowMs: () => WINDOW_MS,
    bytesMax: () => bytesMax,
    clock,
    store: parts.store,
  });
  const name = (requestId: string, sentId: string, caller: string | undefined = 'key:mine') =>
    ids.named({ requestId, sentId, caller });
  const find = (sentId: string, by: { caller: string | undefined; ofAny: boolean } = MINE) => {
    const found = ids.find({ sentId, ...by });
    return typeof found === 'object' ? found.requestId : found;
  };
  return { ids, name, find, clock };
}

t.test('a caller finds its own requests, and no others', async (t) => {
  const { name, find } = someIds();
  name('r1', 'a');
  name('r2', 'b', 'key:other');
  t.equal(find('a'), 'r1');
  t.equal(find('b'), undefined);
  t.equal(find('c'), undefined);
});

t.test('two tenants may use the same ids, each of them for its own requests', async (t) => {
  const { name, find } = someIds();
  name('r1', 'same');
  name('r2', 'same', 'key:other');
  t.equal(find('same'), 'r1');
  t.equal(find('same', { caller: 'key:other', ofAny: false }), 'r2');
  t.equal(find('same', RATER), 'ambiguous', 'a third cannot say which it means');
});

t.test('one that may label for all finds the request of any caller', async (t) => {
  const { name, find } = someIds();
  name('r1', 'a');
  t.equal(find('a', RATER), 'r1');
  name('r2', 'a', 'key:rater');
  t.equal(find('a', RATER), 'r2', 'its own comes first');
  const open = someIds();
  open.name('r3', 'a', undefined);
  t.equal(open.find('a', { caller: undefined, ofAny: true }), 'r3', 'without authentication');
  t.equal(open.find('a', RATER), 'r3', 'and after it has been switched on');
});

t.test('an id that comes twice names neither request, whichever of them is drawn', async (t) => {
  for (const drawn of ['r1', 'r2', undefined]) {
    const { ids, name, find } = someIds();
    name('r1', 'a');
    if (drawn === 'r1') ids.keep('r1');
    name('r2', 'a');
    if (drawn === 'r2') ids.keep('r2');
    t.equal(find('a'), 'ambiguous');
    t.equal(find('a', RATER), 'ambiguous');
  }
});

t.test('any text is an id: controls, paths and other scripts', async (t) => {
  const { name, find } = someIds();
  const texts = [
    '\u0000',
    '\u001b[2J',
    '../../secret',
    '__proto__',
    'ключ',
    ' ',
    'a\nb',
    'a\u0000b',
  ];
  for (const [at, text] of texts.entries()) name(`r${at}`, text);
  t.strictSame(
    texts.map((text) => find(text)),
    texts.map((_, at) => `r${at}`),
  );
});

t.test('requests that wait for a label are kept while others push each other out', async (t) => {
  const { ids, name, find } = someIds({ bytesMax: 100_000 });
  name('r0', 'drawn');
  ids.keep('r0');
  name('r1', 'not drawn');
  for (let n = 2; n < 2_000; n += 1) name(`r${n}`, `id ${n}`);
  t.equal(find('drawn'), 'r0');
  t.equal(find('not drawn'), undefined);
  t.equal(find('id 1999'), 'r1999');
  t.ok(ids.size < 100, `${ids.size}`);
  for (let n = 2_000; n < 4_000; n += 1) {
    name(`r${n}`, `id ${n}`);
    ids.keep(`r${n}`);
  }
  t.equal(find('drawn'), undefined, 'the oldest is forgotten beyond the bound');
  t.ok(ids.size < 250, `${ids.size}`);
  t.equal(find('drawn', RATER), undefined);
});

t.test(
  'an id is known until twice the window has passed, so that late is not unknown',
  async (t) => {
    const { ids, name, find, clock } = someIds();
    name('r1', 'a');
    ids.keep('r1');
    clock.advance(2 * WINDOW_MS - 1);
    t.equal(find('a'), 'r1');
    clock.advance(2);
    name('r2', 'b');
    ids.keep('r2');
    t.equal(find('a'), undefined);
  },
);

async function aFolder(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-ids-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const labels = new LabelFolder({ folder, clock: new HandClock(), onError: (e) => t.error(e) });
  const open = () => labels.open({ model: 'm', rolloutId: 'r', part: 'ids' }, () => 1_048_576);
  return { folder, open };
}

t.test(
  'ids of requests that wait outlive the process, and so does what is ambiguous',
  async (t) => {
    const { folder, open } = await aFolder(t);
    const store = open();
    const first = someIds({ store });
    await first.ids.restore();
    for (const [at, text] of ['secret-id-1', 'twice', 'twice again'].entries()) {
      first.name(`r${at}`, text);
      first.ids.keep(`r${at}`);
    }
    first.name('r8', 'twice');
    first.name('r9', 'not drawn');
    await first.ids.close(false);
    const files = (await readdir(folder, { recursive: true })).filter((f) => f.endsWith('.jsonl'));
    const text = await readFile(join(folder, files[0] ?? ''), 'utf8');
    t.notMatch(text, /secret|twice/, 'no id is on the disk');

    const next = someIds({ store: open() });
    next.name('r10', 'twice again');
    next.ids.keep('r10');
    t.equal(next.ids.isRestored, false);
    await next.ids.restore();
    t.ok(next.ids.isRestored);
    t.equal(next.find('secret-id-1'), 'r0');
    t.equal(next.find('secret-id-1', RATER), 'r0');
    t.equal(next.find('twice'), 'ambiguous');
    t.equal(next.find('twice again'), 'ambiguous', 'one of either process');
    t.equal(next.find('not drawn'), undefined);
  },
);

t.test('ids are accounted with the memory that they take', async (t) => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const heap = (): number => {
    gc();
    gc();
    return process.memoryUsage().heapUsed;
  };
  const count = 20_000;
  const { ids, name } = someIds({ bytesMax: 1e9 });
  const before = heap();
  for (let n = 0; n < count; n += 1) {
    name(`0190a2b3-4c5d-7e6f-${n}`, `an id of the caller ${n}`);
    ids.keep(`0190a2b3-4c5d-7e6f-${n}`);
  }
  const taken = (heap() - before) / count;
  t.ok(taken > 250 && taken < 560, `450 accounted, ${taken} taken`);
  t.equal(ids.size, count);
});
