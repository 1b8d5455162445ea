import t from 'tap';
import type { LiveObservation } from '../../src/compare/live-window.ts';
import { createLiveTap } from '../../src/mirror/live-tap.ts';
import { anAssignment, answered, aRequest, failed } from './builders.ts';

const drawn = anAssignment({
  arm: 'candidate',
  exposure: { candidateBp: 500, referenceBp: 9_500 },
  side: 'candidate',
});

function aTap(addLive?: (live: LiveObservation) => void) {
  const seen: LiveObservation[] = [];
  const errors: string[] = [];
  const sink = { addLive: addLive ?? ((live: LiveObservation) => seen.push(live)) };
  const tap = createLiveTap({
    window: (model) => (model === 'fashion' ? sink : undefined),
    onInternalError: (operation) => errors.push(operation),
  });
  return { tap, seen, errors };
}

t.test('outcomes are handed on in the order of assignment, not of ending', async (t) => {
  const { tap, seen } = aTap();
  const [a, b, c] = ['a', 'b', 'c'].map((unit) => tap(aRequest('r', { unit }), drawn));
  c?.(answered(2, 9));
  a?.(failed('deadline_exceeded', 0, 50));
  t.same(
    seen.map(({ unit }) => unit),
    ['a'],
  );
  b?.(answered(1, 60));
  t.same(
    seen.map(({ unit }) => unit),
    ['a', 'b', 'c'],
  );
  t.match(seen[0], { side: 'candidate', failure: 'deadline_exceeded', startedMs: 0, endedMs: 50 });
  t.equal(seen[1]?.failure, undefined);
});

t.test('a request that was assigned by its own id is told apart from a unit', async (t) => {
  const { tap, seen } = aTap();
  tap(aRequest('a'), drawn)?.(answered(0, 1));
  tap(aRequest('b', { unit: 'ann' }), drawn)?.(answered(2, 3));
  t.same(
    seen.map(({ unit }) => unit),
    [undefined, 'ann'],
  );
});

t.test('only requests that were drawn between the arms are watched', async (t) => {
  const { tap } = aTap();
  t.equal(tap(aRequest(), anAssignment()), undefined);
  t.equal(tap(aRequest(), { ...drawn, by: 'rule' }), undefined);
  t.equal(tap(aRequest('r', { model: 'other' }), drawn), undefined);
});

t.test('an error in the window is reported and holds nothing up', async (t) => {
  let calls = 0;
  const { tap, errors } = aTap(() => {
    calls += 1;
    throw new Error('boom');
  });
  const [a, b] = ['a', 'b'].map((id) => tap(aRequest(id), drawn));
  b?.(answered());
  a?.(answered());
  t.equal(calls, 2);
  t.same(errors, ['live tap', 'live tap']);
});
