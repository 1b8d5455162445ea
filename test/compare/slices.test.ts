import t from 'tap';
import { mergeEvidence } from '../../src/compare/merge-evidence.ts';
import type { Window } from '../../src/compare/window.ts';
import { type Evidence, NO_EVIDENCE } from '../../src/core/evidence.ts';
import { aComparison, aLive, aWindow } from './builders.ts';

const DARK = { tone: 'dark' };
const slices = [DARK, { tone: 'light', region: 'eu' }];
const EVEN = { candidateBp: 500, referenceBp: 500 };

function evidenceOf(window: Window): Evidence {
  return { ...NO_EVIDENCE, ...window.snapshot() };
}

/** Two pairs that differ, one of them dark, and one that the candidate failed in the dark. */
function addPairs(window: Window): void {
  window.addComparison(aComparison({ score: 1, noise: 0 }), DARK);
  window.addComparison(aComparison({ score: 1, noise: 0 }), { tone: 'light' });
  window.addComparison(aComparison({ score: undefined, candidateFault: 'runtime' }), DARK);
}

t.test('pairs are counted in each slice that their request is in, and over all', async (t) => {
  const window = aWindow({ slices });
  addPairs(window);
  const { disagreement, bySlice = {} } = window.snapshot();
  t.same(disagreement.up, { 1000: 2 });
  t.same(Object.keys(bySlice), ['tone=dark'], 'a slice needs all of its attributes');
  t.match(bySlice['tone=dark'], {
    disagreement: { up: { 1000: 1 } },
    excessDisagreement: { up: { 1000: 1 } },
    pairedFailures: { '0:0/1': 1, '1:0/1': 1 },
    pairedFelt: { pairs: 2, candidate: 1, reference: 0 },
  });
});

t.test('a unit says in a slice what its requests there say', async (t) => {
  const window = aWindow({ slices });
  const unit = { sticky: 'u', content: undefined };
  window.addComparison(aComparison({ score: 1, unit, drawnMs: 0 }), DARK);
  window.addComparison(aComparison({ score: 0, unit, drawnMs: 1 }), {});
  window.addComparison(aComparison({ drawnMs: 1_000_000 }), {});
  const { disagreement, bySlice } = window.snapshot();
  t.same(disagreement.up, { 0: 1, 500: 1 });
  t.same(bySlice?.['tone=dark']?.disagreement.up, { 1000: 1 });
});

t.test('live requests are counted by slice: failures, and slow ones', async (t) => {
  const window = aWindow({ slices });
  const add = (over: Parameters<typeof aLive>[0]) =>
    window.addLive(aLive({ exposure: EVEN, ...over }));
  // Until the threshold of slow requests is known.
  for (let at = 0; at < 400; at += 1)
    add({ side: 'reference', startedMs: at * 10, endedMs: at * 10 + (at % 10) });
  add({ startedMs: 5_000, endedMs: 5_001, failure: 'runtime_failed', attributes: DARK });
  add({ startedMs: 6_000, endedMs: 6_900, attributes: DARK });
  add({ side: 'reference', startedMs: 7_000, endedMs: 7_001, attributes: DARK });
  t.match(window.snapshot().bySlice, {
    'tone=dark': {
      liveErrors: { '500:500': { candidate: { '1/1': 1, '0/1': 1 }, reference: { '0/1': 1 } } },
      liveFelt: { '500:500': { candidate: { requests: 2, failed: 1 } } },
      slow: [1, 1, 1, 0],
    },
  });
});

t.test('slices survive a restart, and two gateways add up', async (t) => {
  const whole = aWindow({ slices });
  addPairs(whole);
  addPairs(whole);
  const first = aWindow({ slices });
  addPairs(first);
  const half = evidenceOf(first);
  const second = aWindow({ slices, from: half });
  addPairs(second);
  t.same(second.snapshot().bySlice, whole.snapshot().bySlice);
  t.same(mergeEvidence(half, half).bySlice, whole.snapshot().bySlice);
  t.same(mergeEvidence(half, NO_EVIDENCE).bySlice, half.bySlice);
  t.notOk('bySlice' in mergeEvidence(NO_EVIDENCE, NO_EVIDENCE));
});

t.test('without slices the evidence has no place for them', async (t) => {
  const window = aWindow();
  addPairs(window);
  t.notOk('bySlice' in window.snapshot());
});
