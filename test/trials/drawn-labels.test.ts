import t from 'tap';
import { LabelFolder } from '../../src/capture/label-folder.ts';
import { HandClock } from '../../src/core/clock.ts';
import type { LabelQueuePlan } from '../../src/core/drawn-loss.ts';
import { type Evidence, NO_EVIDENCE } from '../../src/core/evidence.ts';
import type { RolloutSpec } from '../../src/core/rollout.ts';
import { RolloutObserver } from '../../src/trials/rollout-observer.ts';
import { aPackage, aPair } from '../models/builders.ts';
import { aRollout, aSpec } from '../rollout/builders.ts';

const WINDOW_MS = 60_000;
const EVERY = { probability: 1, minProbability: 1 };

type Given = {
  readonly queue?: LabelQueuePlan;
  readonly from?: Evidence;
  readonly clock?: HandClock;
  readonly folder?: string;
  readonly anchor?: ReturnType<typeof aPackage>;
  readonly spec?: Partial<RolloutSpec>;
};

function anObserver({ queue = EVERY, from = NO_EVIDENCE, ...given }: Given = {}) {
  const { clock = new HandClock(), folder } = given;
  const labels = { windowMs: WINDOW_MS, selection: 'drawn' as const, queue };
  const spec = aSpec({ slices: [{ tone: 'dark' }], rules: 2, labels, ...given.spec });
  const onError = (error: unknown) => t.fail(String(error));
  const files = folder === undefined ? undefined : new LabelFolder({ folder, clock, onError });
  const observer = new RolloutObserver({
    rollout: { ...aRollout({ spec }), startedMs: clock.wallMs() },
    ...{ from, stable: aPackage('1'), candidate: aPackage('2'), clock, anchor: given.anchor },
    labelSettings: () => ({
      windowMs: WINDOW_MS,
      storeBytesMax: 1_048_576,
      from: 'any',
      callers: { perSecondMax: 100, labelsMax: 1_000 },
    }),
    openStore:
      files && ((part, max) => files.open({ model: 'fashion', rolloutId: 'r', part }, max)),
    sendCheck: () => undefined,
  });
  const pair = (id: string, classes: { stable: number; candidate: number; anchor?: number }) => {
    observer.expect(id);
    const { anchor, ...both } = classes;
    const beside =
      anchor === undefined ? {} : { anchor: aPair(id, { stable: 0, candidate: anchor }).candidate };
    observer.offer({ ...aPair(id, both), ...beside });
  };
  const label = (requestId: string, value: unknown) =>
    observer.label({ requestId, issuedMs: clock.wallMs() }, value);
  return { observer, clock, pair, label };
}

t.test(
  'a drawn pair counts when its window ends, with its label or as its worst case',
  async (t) => {
    const { observer, clock, pair, label } = anObserver();
    pair('same', { stable: 1, candidate: 1 });
    pair('won', { stable: 0, candidate: 1 });
    pair('unanswered', { stable: 0, candidate: 1 });
    pair('neither', { stable: 0, candidate: 1 });
    t.equal(label('won', 1), 'joined');
    t.equal(label('neither', 2), 'joined');
    clock.advance(WINDOW_MS - 1);
    t.same(observer.evidence().drawnLoss?.all, {}, 'nothing counts before');
    clock.advance(1);
    const { drawnLoss } = observer.evidence();
    const all = {
      1: { down: { '-1000': 2, 0: 2 }, up: { '-1000': 1, 0: 2, 1000: 1 } },
    };
    t.same(drawnLoss, {
      ...{ all, bySlice: { 'tone=dark': all } },
      ...{ differing: 3, drawn: 3, answered: 2, conflicting: 0, neither: 1 },
    });
  },
);

t.test('labels that contradict each other leave a drawn pair its worst case', async (t) => {
  const { observer, clock, pair, label } = anObserver();
  pair('a', { stable: 0, candidate: 1 });
  label('a', 1);
  t.equal(label('a', 0), 'conflicting');
  clock.advance(WINDOW_MS);
  const { drawnLoss } = observer.evidence();
  t.match(drawnLoss, { drawn: 1, answered: 0, conflicting: 1 });
  t.same(drawnLoss?.all, { 1: { down: { '-1000': 1 }, up: { 1000: 1 } } });
});

t.test('labels of pairs that agree change nothing in what is drawn', async (t) => {
  const { observer, clock, pair, label } = anObserver();
  pair('a', { stable: 1, candidate: 1 });
  pair('b', { stable: 1, candidate: 1 });
  label('b', 0);
  clock.advance(WINDOW_MS);
  t.same(observer.evidence().drawnLoss?.all, { 1: { down: { 0: 2 }, up: { 0: 2 } } });
});

t.test('a pair that was not drawn counts as 0, labelled or not', async (t) => {
  const queue = { probability: 1 / 4, minProbability: 1 / 4 };
  const { observer, clock, pair, label } = anObserver({ queue });
  for (let at = 0; at < 200; at += 1) pair(`${at}`, { stable: 0, candidate: 1 });
  for (let at = 0; at < 200; at += 1) label(`${at}`, 0);
  clock.advance(WINDOW_MS);
  const { drawnLoss } = observer.evidence();
  const drawn = drawnLoss?.drawn ?? 0;
  t.ok(drawn > 25 && drawn < 80, `${drawn} of 200`);
  t.same(drawnLoss?.all, {
    1: { down: { 0: 200 - drawn }, up: { 0: 200 - drawn } },
    '1/4': { down: { 1000: drawn }, up: { 1000: drawn } },
  });
});

t.test('draws and labels outlive the process, and nothing is counted twice', async (t) => {
  const folder = t.testdir();
  const queue = { probability: 1 / 2, minProbability: 1 / 2 };
  const clock = new HandClock();
  const whole = anObserver({ queue, clock });
  const first = anObserver({ queue, clock, folder });
  for (let at = 0; at < 60; at += 1) {
    for (const each of [whole, first]) {
      each.pair(`${at}`, { stable: 0, candidate: at % 3 === 0 ? 0 : 1 });
      each.label(`${at}`, at % 2);
    }
  }
  const from = first.observer.evidence();
  await first.observer.close(false);
  const second = anObserver({ queue, clock, folder, from });
  clock.advance(WINDOW_MS);
  // Reading the store takes turns of the event loop.
  while (second.observer.evidence().labelling?.waiting !== 0 || !isCounted(second))
    await new Promise((resolve) => setImmediate(resolve));
  t.same(second.observer.evidence().drawnLoss, whole.observer.evidence().drawnLoss);
});

function isCounted({ observer }: ReturnType<typeof anObserver>): boolean {
  return observer.evidence().drawnLoss?.differing === 40;
}

t.test('wanted are the drawn pairs without a label, until their window ends', async (t) => {
  const { observer, clock, pair, label } = anObserver();
  pair('same', { stable: 1, candidate: 1 });
  pair('a', { stable: 0, candidate: 1 });
  pair('b', { stable: 0, candidate: 1 });
  label('b', 1);
  const askedMs = clock.wallMs();
  const moments = { askedMs, untilMs: askedMs + WINDOW_MS };
  const wanted = { requestId: 'a', version: '1', ...moments, slices: ['tone=dark'] };
  t.same([...observer.wanted()], [wanted]);
  clock.advance(WINDOW_MS);
  t.same([...observer.wanted()], []);
});

t.test('one draw serves both comparisons, with stable and with the anchor', async (t) => {
  const anchor = { version: '0', digest: 'd', spent: { loss: 0, unmeasured: 0 } };
  const spec = { anchor, anchorShare: 100 };
  const { observer, clock, pair, label } = anObserver({ spec, anchor: aPackage('0') });
  pair('a', { stable: 1, candidate: 1, anchor: 0 });
  pair('b', { stable: 0, candidate: 1 });
  label('a', 0);
  label('b', 0);
  clock.advance(WINDOW_MS);
  const { drawnLoss, anchor: beside } = observer.evidence();
  t.match(drawnLoss, { differing: 1, drawn: 1, all: { 1: { up: { 0: 1, 1000: 1 } } } });
  t.match(beside?.drawnLoss, { differing: 1, drawn: 1, all: { 1: { up: { 1000: 1 } } } });
});

t.test('where labels are not drawn there is no evidence of draws', async (t) => {
  const labels = { windowMs: WINDOW_MS, selection: 'random' as const };
  const { observer, clock, pair } = anObserver({ spec: { labels } });
  pair('a', { stable: 0, candidate: 1 });
  t.same([...observer.wanted()], []);
  clock.advance(WINDOW_MS);
  t.notOk('drawnLoss' in observer.evidence());
});
