import t from 'tap';
import { LabelQueue } from '../../src/capture/label-queue.ts';
import { HandClock } from '../../src/core/clock.ts';
import type { WantedLabel } from '../../src/core/wanted-label.ts';

const MINUTE_MS = 60_000;

function aQueue(wanted: readonly WantedLabel[]) {
  const clock = new HandClock();
  const all = [...wanted];
  const queue = new LabelQueue({
    wanted: () => all,
    issueToken: ({ model, version, requestId, issuedMs }) =>
      [model, version, requestId, issuedMs].join(' '),
    clock,
  });
  const next = (by: string, limit = 2, leaseMs = MINUTE_MS) => {
    const asked = { model: 'fashion', by, leaseMs, limit };
    const { labels, ...counts } = queue.next(asked);
    return { ids: labels.map(({ requestId }) => requestId), labels, ...counts };
  };
  return { clock, all, next };
}

const NOW_MS = new HandClock().wallMs();

/** Its window ends after so many milliseconds. */
function aWanted(requestId: string, afterMs: number): WantedLabel {
  const moments = { askedMs: NOW_MS, untilMs: NOW_MS + afterMs };
  return { requestId, version: '1', ...moments, slices: ['tone=dark'] };
}

const FIVE = [5, 1, 4, 2, 3].map((at) => aWanted(`r${at}`, at * 60 * MINUTE_MS));

t.test('two who ask get different labels, those that end first before others', async (t) => {
  const { next } = aQueue(FIVE);
  t.same(next('a').ids, ['r1', 'r2']);
  t.same(next('b').ids, ['r3', 'r4']);
  const last = next('a');
  t.same(last.ids, ['r5']);
  t.match(last, { wanted: 5, leased: 4, leasedBy: { a: 2, b: 2 } });
  t.same(next('a').ids, [], 'each is leased');
});

t.test('what is not answered within its lease is handed out again', async (t) => {
  const { next, clock, all } = aQueue(FIVE);
  next('a');
  clock.advance(MINUTE_MS);
  t.same(next('b').ids, ['r1', 'r2']);
  all.splice(1, 1);
  clock.advance(MINUTE_MS);
  t.same(next('b').ids, ['r2', 'r3'], 'what has its label is wanted no more');
});

t.test('without a lease others get the same ones', async (t) => {
  const { next } = aQueue(FIVE);
  const { labels } = next('a', 1, 0);
  t.same(labels, [
    {
      token: `fashion 1 r1 ${NOW_MS}`,
      requestId: 'r1',
      askedAt: new Date(NOW_MS).toISOString(),
      until: new Date(NOW_MS + 60 * MINUTE_MS).toISOString(),
      leasedUntil: undefined,
      slices: ['tone=dark'],
    },
  ]);
  t.same(next('b', 1).ids, ['r1']);
});

t.test('no lease is longer than the label window', async (t) => {
  const { next } = aQueue([aWanted('r', 1_000)]);
  t.equal(next('a').labels[0]?.leasedUntil, new Date(NOW_MS + 1_000).toISOString());
});
