import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import { type Evidence, NO_EVIDENCE } from '../../src/core/evidence.ts';
import type { RolloutSpec } from '../../src/core/rollout.ts';
import { RolloutObserver } from '../../src/trials/rollout-observer.ts';
import { aPackage, aPair } from '../models/builders.ts';
import { aRollout, aSpec } from '../rollout/builders.ts';

const FROM_ANY = { from: 'any' as const, callers: { perSecondMax: 100, labelsMax: 1_000 } };

const WINDOW_MS = 60_000;

type Given = {
  readonly stable?: ReturnType<typeof aPackage>;
  readonly candidate?: ReturnType<typeof aPackage>;
  readonly anchor?: ReturnType<typeof aPackage>;
  readonly from?: Evidence;
  readonly clock?: HandClock;
  readonly spec?: Partial<RolloutSpec>;
  readonly windowMs?: () => number | undefined;
};

function anObserver(given: Given = {}) {
  const { stable = aPackage('1'), candidate = aPackage('2'), from = NO_EVIDENCE } = given;
  const { clock = new HandClock(), windowMs = () => WINDOW_MS } = given;
  const labels = { windowMs: WINDOW_MS, selection: 'random' as const };
  const spec = aSpec({ slices: [{ tone: 'dark' }], rules: 2, labels, ...given.spec });
  const observer = new RolloutObserver({
    rollout: { ...aRollout({ spec }), startedMs: clock.wallMs() },
    ...{ from, stable, candidate, clock },
    anchor: given.anchor,
    labelSettings: () => ({ windowMs: windowMs(), storeBytesMax: 1_048_576, ...FROM_ANY }),
    sendCheck: () => undefined,
  });
  const label = (requestId: string, value: unknown, issuedMs = clock.wallMs()) =>
    observer.label({ requestId, issuedMs }, value);
  return { observer, clock, label };
}

t.test('under the rules of version 1 a label counts as it comes', async (t) => {
  const { observer, label } = anObserver({ spec: { rules: 1 } });
  for (const requestId of ['a', 'b']) observer.expect(requestId);
  t.equal(label('a', 'coat'), 'waiting');
  observer.offer(aPair('a', { stable: 1, candidate: 2 }));
  observer.offer(aPair('b', { stable: 0, candidate: 0 }));
  t.equal(label('b', 0), 'joined');
  const { labels, labelledLoss, labelledLossBySlice, labelling } = observer.evidence();
  t.equal(labels.joined, 2);
  // Both in steps of 1/1000: the candidate was worse once, by all there is, and once they were equal.
  t.same(labelledLoss.up, { 0: 1, 1000: 1 });
  t.same(labelledLossBySlice['tone=dark'], labelledLoss, 'all of them were dark');
  t.equal(labelling, undefined);
});

t.test('a label counts once the window of its pair has ended, whichever came first', async (t) => {
  const { observer, clock, label } = anObserver();
  for (const requestId of ['a', 'b']) observer.expect(requestId);
  t.equal(label('a', 'coat'), 'waiting');
  observer.offer(aPair('a', { stable: 1, candidate: 2 }));
  observer.offer(aPair('b', { stable: 0, candidate: 0 }));
  t.equal(label('b', 0), 'joined');
  clock.advance(WINDOW_MS - 1);
  const waiting = observer.evidence();
  t.same(waiting.labelledLoss, NO_EVIDENCE.labelledLoss);
  t.match(waiting.labelling, { waiting: 2, labelled: 0, windowMs: WINDOW_MS });
  clock.advance(1);
  const { labels, labelledLoss, labelledLossBySlice, labelling } = observer.evidence();
  t.same(labels, { joined: 2, unmatched: 0 });
  t.same(labelledLoss.up, { 0: 1, 1000: 1 });
  t.same(labelledLossBySlice['tone=dark'], labelledLoss, 'all of them were dark');
  t.match(labelling, { waiting: 0, labelled: 2, neither: 0 });
  t.match(labelling?.coverage[''], {
    agreeing: { units: 1, labelled: 1 },
    differing: { units: 1, labelled: 1 },
  });
});

t.test('a slice that is only reported is counted as one that gates', async (t) => {
  const spec = { slices: [{ tone: 'light' }], reportedSlices: [{ tone: 'dark' }] };
  const { observer, clock, label } = anObserver({ spec });
  observer.expect('a');
  observer.offer(aPair('a', { stable: 1, candidate: 2 }));
  t.equal(label('a', 'coat'), 'joined');
  clock.advance(WINDOW_MS);
  const { labelledLoss, labelledLossBySlice } = observer.evidence();
  t.same(labelledLossBySlice, { 'tone=dark': labelledLoss });
  t.same(labelledLoss.up, { 1000: 1 });
});

const HELD = {
  anchor: { version: '0', digest: 'd', spent: { loss: 0, unmeasured: 0 } },
  anchorShare: 100,
};

/** A pair that the anchor answered too: with a class, or not at all. */
function anchoredPair(id: string, classes: { stable: number; candidate: number; anchor?: number }) {
  const { anchor, ...both } = classes;
  const failure = { kind: 'failure', code: 'runtime_failed', message: 'no' } as const;
  const answered =
    anchor === undefined ? failure : aPair(id, { stable: 0, candidate: anchor }).candidate;
  return { ...aPair(id, both), anchor: answered };
}

t.test(
  'labels count against the anchor on the pairs that it answered, over a restart',
  async (t) => {
    const clock = new HandClock();
    const given = { spec: HELD, clock, anchor: aPackage('0') };
    const first = anObserver(given);
    for (const requestId of ['a', 'b', 'c']) first.observer.expect(requestId);
    first.observer.offer(anchoredPair('a', { stable: 1, candidate: 1, anchor: 0 }));
    first.observer.offer(anchoredPair('b', { stable: 0, candidate: 1 }));
    first.observer.offer(aPair('c', { stable: 0, candidate: 1 }));
    for (const requestId of ['a', 'b', 'c']) first.label(requestId, 0);
    clock.advance(WINDOW_MS);
    const { labelledLoss, anchor } = first.observer.evidence();
    t.same(labelledLoss.up, { 0: 1, 1000: 2 });
    t.match(anchor, { answered: 1, failed: 1, loss: { up: { 1000: 1 } } });
    t.same(anchor?.lossBySlice['tone=dark']?.up, { 1000: 1 });
    t.match(anchor?.coverage[''], { differing: { units: 1, labelled: 1 } });

    const second = anObserver({ ...given, from: first.observer.evidence() });
    second.observer.expect('d');
    second.observer.offer(anchoredPair('d', { stable: 0, candidate: 0, anchor: 0 }));
    second.label('d', 0);
    clock.advance(WINDOW_MS);
    t.match(second.observer.evidence().anchor, { answered: 2, loss: { up: { 0: 1, 1000: 1 } } });
  },
);

t.test('a rollout without an anchor beside it has no evidence of one', async (t) => {
  const { observer } = anObserver();
  observer.expect('a');
  observer.offer(anchoredPair('a', { stable: 1, candidate: 1, anchor: 0 }));
  t.notOk('anchor' in observer.evidence());
});

t.test('a label that is sent again counts once, in time or late', async (t) => {
  const { observer, clock, label } = anObserver();
  observer.expect('a');
  observer.offer(aPair('a', { stable: 0, candidate: 0 }));
  const issuedMs = clock.wallMs();
  for (let time = 0; time < 5; time += 1) label('not mirrored', 0, issuedMs);
  clock.advance(WINDOW_MS);
  for (let time = 0; time < 5; time += 1) {
    label('not mirrored', 0, issuedMs);
    label('late', 0, issuedMs);
    label('a', 0, issuedMs);
  }
  t.match(observer.evidence().labelling, { inTime: 1, late: 2, labelled: 0 });
});

t.test(
  'a label that comes after the window is late, and its pair counts as unlabelled',
  async (t) => {
    const { observer, clock, label } = anObserver();
    observer.expect('a');
    observer.offer(aPair('a', { stable: 1, candidate: 2 }));
    const issuedMs = clock.wallMs();
    clock.advance(WINDOW_MS);
    t.equal(label('a', 'coat', issuedMs), 'late');
    const { labelling, labelledLoss } = observer.evidence();
    t.match(labelling, { late: 1, labelled: 0, waiting: 0 });
    t.same(labelledLoss, NO_EVIDENCE.labelledLoss);
    t.match(labelling?.coverage['']?.differing, { units: 1, labelled: 0 });
    t.equal(label('b', 'coat', issuedMs - 1), 'unknown', 'of an answer before the rollout');
  },
);

t.test('the window grows with the configuration, and never shrinks', async (t) => {
  let windowMs: number | undefined = 2 * WINDOW_MS;
  const { observer, clock } = anObserver({ windowMs: () => windowMs });
  observer.expect('a');
  observer.offer(aPair('a', { stable: 1, candidate: 2 }));
  t.equal(observer.evidence().labelling?.windowMs, 2 * WINDOW_MS);
  windowMs = 1;
  clock.advance(WINDOW_MS);
  t.match(observer.evidence().labelling, { windowMs: 2 * WINDOW_MS, waiting: 1 });
  const later = anObserver({ from: observer.evidence(), windowMs: () => undefined });
  t.equal(later.observer.evidence().labelling?.windowMs, 2 * WINDOW_MS, 'nor over a restart');
});

t.test('labels that equal neither answer are counted', async (t) => {
  const { observer, clock, label } = anObserver();
  observer.expect('a');
  observer.offer(aPair('a', { stable: 1, candidate: 2 }));
  t.equal(label('a', 0), 'joined');
  clock.advance(WINDOW_MS);
  t.match(observer.evidence().labelling, { labelled: 1, neither: 1 });
});

t.test('a label that no version could answer is refused, and can be corrected', async (t) => {
  const { observer, label } = anObserver();
  observer.expect('a');
  t.throws(() => label('a', 'trousers'), { code: 'invalid_input' });
  observer.offer(aPair('a', { stable: 1, candidate: 1 }));
  t.equal(label('a', 'coat'), 'joined');
});

t.test('a label of a request that came to no pair is counted, not joined', async (t) => {
  const { observer, label } = anObserver();
  observer.expect('a');
  observer.abandon('a');
  t.equal(label('a', 'coat'), 'notComparable');
  t.same(observer.evidence().labels, { joined: 0, unmatched: 1 });
});

t.test('of a task without a loss pairs are compared and labels join nothing', async (t) => {
  const detection = { task: 'detection' };
  const { observer, label } = anObserver({
    stable: aPackage('1', detection),
    candidate: aPackage('2', detection),
  });
  observer.expect('a');
  observer.offer(aPair('a', { stable: 1, candidate: 1 }));
  t.not(label('a', 'coat'), 'joined');
  t.equal(observer.evidence().labels.joined, 0);
});

t.test('labels of live answers count by arm once their window has ended', async (t) => {
  const steps = [
    { kind: 'setWeight', percent: 50, control: false } as const,
    { kind: 'analysis', require: ['errors'], reject: ['liveLoss'] } as const,
  ];
  const { observer, clock, label } = anObserver({ spec: { steps } });
  const exposure = { candidateBp: 5_000, referenceBp: 5_000 };
  const serve = (requestId: string, side: 'candidate' | 'reference', top: number | undefined) => {
    const drawn = { unit: undefined, side, exposure };
    observer.assigned({ kind: 'assigned', model: 'fashion', requestId, drawn });
    const end = {
      startedMs: 0,
      endedMs: 1,
      failure: top === undefined ? ('host_lost' as const) : undefined,
    };
    const { stable } = aPair(requestId, { stable: top ?? 0, candidate: 0 });
    const outputs = top !== undefined && stable.kind === 'answer' ? stable.outputs : undefined;
    observer.ended({ kind: 'ended', model: 'fashion', requestId, end, outputs });
  };
  serve('a', 'reference', 1);
  serve('b', 'candidate', 2);
  serve('c', 'reference', 1);
  serve('d', 'candidate', undefined);
  serve('e', 'candidate', 1);
  for (const requestId of ['a', 'b', 'c', 'd']) t.equal(label(requestId, 1), 'joined');
  t.equal(label('a', 1), 'duplicate');
  t.same(observer.evidence().liveLoss?.places, {});
  clock.advance(WINDOW_MS);
  const { liveLoss } = observer.evidence();
  t.same(liveLoss?.differences.down, { 1000: 2 }, 'a wrong answer, and one that failed');
  t.same(liveLoss?.places['5000:5000'], {
    candidate: { units: 3, labelled: 2 },
    reference: { units: 2, labelled: 2 },
    blocks: { '1/1/1': 2 },
  });
});

t.test('labels that came in are counted by what became of them, over a restart', async (t) => {
  const { observer, clock, label } = anObserver();
  for (const id of ['a', 'b', 'c']) observer.expect(id);
  t.notOk('states' in (observer.evidence().labelling ?? {}), 'none has come');
  observer.offer(aPair('a', { stable: 0, candidate: 1 }));
  observer.abandon('b');
  t.strictSame(
    [label('a', 0), label('a', 0), label('a', 1), label('b', 0), label('c', 0), label('d', 0)],
    ['joined', 'duplicate', 'conflicting', 'notComparable', 'waiting', 'notSampled'],
  );
  const next = anObserver({ clock, from: observer.evidence() });
  next.label('e', 0);
  t.same(next.observer.evidence().labelling?.states, {
    ...{ joined: 1, waiting: 1, duplicate: 1, conflicting: 1, notSampled: 2, notComparable: 1 },
  });
  clock.advance(WINDOW_MS);
  const { labelledLoss, labelling } = observer.evidence();
  t.same(labelledLoss, { down: { [-1000]: 1 }, up: { 1000: 1 } });
  t.match(labelling, { labelled: 0, neither: 0 }, 'a contradicted label says nothing else');
});
