import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import { RolloutObserver } from '../../src/trials/rollout-observer.ts';
import { aPackage, aPair } from '../models/builders.ts';
import { aRollout, aSpec } from '../rollout/builders.ts';

function anObserver(stable = aPackage('1'), candidate = aPackage('2')): RolloutObserver {
  const spec = aSpec({ slices: [{ tone: 'dark' }] });
  return new RolloutObserver({
    rollout: aRollout({ spec }),
    from: NO_EVIDENCE,
    stable,
    candidate,
    feedback: { ttlMs: 60_000, requestsMax: 100 },
    clock: new HandClock(),
    sendCheck: () => undefined,
  });
}

t.test('a label finds its pair, whichever comes first', async (t) => {
  const observer = anObserver();
  for (const requestId of ['a', 'b']) observer.expect(requestId);
  t.equal(observer.label({ requestId: 'a', issuedMs: 0 }, 'coat'), 'waiting');
  observer.offer(aPair('a', { stable: 1, candidate: 2 }));
  observer.offer(aPair('b', { stable: 0, candidate: 0 }));
  t.equal(observer.label({ requestId: 'b', issuedMs: 0 }, 0), 'joined');
  const { labels, labelledLoss, labelledLossBySlice } = observer.window.snapshot();
  t.equal(labels.joined, 2);
  // Both in steps of 1/1000: the candidate was worse once, by all there is, and once they were equal.
  t.same(labelledLoss.up, { 0: 1, 1000: 1 });
  t.same(labelledLossBySlice['tone=dark'], labelledLoss, 'all of them were dark');
});

t.test('a label that no version could answer is refused, and can be corrected', async (t) => {
  const observer = anObserver();
  observer.expect('a');
  t.throws(() => observer.label({ requestId: 'a', issuedMs: 0 }, 'trousers'), {
    code: 'invalid_input',
  });
  observer.offer(aPair('a', { stable: 1, candidate: 1 }));
  t.equal(observer.label({ requestId: 'a', issuedMs: 0 }, 'coat'), 'joined');
});

t.test('a label of a request that came to no pair is counted, not joined', async (t) => {
  const observer = anObserver();
  observer.expect('a');
  observer.abandon('a');
  t.equal(observer.label({ requestId: 'a', issuedMs: 0 }, 'coat'), 'unmatched');
  t.same(observer.window.snapshot().labels, { joined: 0, unmatched: 1 });
});

t.test('of a task without a loss pairs are compared and labels join nothing', async (t) => {
  const observer = anObserver(
    aPackage('1', { task: 'detection' }),
    aPackage('2', { task: 'detection' }),
  );
  observer.expect('a');
  observer.offer(aPair('a', { stable: 1, candidate: 1 }));
  t.not(observer.label({ requestId: 'a', issuedMs: 0 }, 'coat'), 'joined');
  t.equal(observer.window.snapshot().labels.joined, 0);
});
