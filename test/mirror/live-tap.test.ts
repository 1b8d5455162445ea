import t from 'tap';
import type { RolloutReport } from '../../src/core/messages.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { createLiveTap } from '../../src/mirror/live-tap.ts';
import { anAssignment, answered, aRequest, DRAWN, failed } from './builders.ts';

function aTap() {
  const reports: RolloutReport[] = [];
  const tap = createLiveTap({
    isWatched: (model) => model === 'fashion',
    report: (report) => reports.push(report),
  });
  return { tap, reports };
}

t.test('a request is reported once as it is assigned and once as it ends', async (t) => {
  const { tap, reports } = aTap();
  const [a, b] = ['a', 'b'].map((id) => tap(aRequest(id, { unit: 'ann' }), DRAWN));
  b?.(answered(1, 9));
  a?.(failed('deadline_exceeded', 0, 50));
  const assigned = { kind: 'assigned', drawn: { unit: 'ann', side: 'candidate' } };
  t.match(reports, [
    { ...assigned, requestId: 'a' },
    { ...assigned, requestId: 'b' },
    { kind: 'ended', requestId: 'b', end: { startedMs: 1, endedMs: 9, failure: undefined } },
    { kind: 'ended', requestId: 'a', end: { endedMs: 50, failure: 'deadline_exceeded' } },
  ]);
  t.equal(reports.length, 4);
});

t.test('what took longer than an arm on trial may is reported as its failure', async (t) => {
  const { tap, reports } = aTap();
  tap(aRequest('a'), DRAWN)?.({ ...answered(0, 90), armEndedMs: 40 } as Outcome);
  t.match(reports[1], { end: { endedMs: 40, failure: 'deadline_exceeded' } });
});

t.test('a request that was assigned by its own id is distinct from a unit', async (t) => {
  const { tap, reports } = aTap();
  tap(aRequest('a'), DRAWN);
  tap(aRequest('b', { unit: 'ann' }), DRAWN);
  t.match(reports, [{ drawn: { unit: undefined } }, { drawn: { unit: 'ann' } }]);
});

t.test('only requests that were drawn between the arms of a rollout are reported', async (t) => {
  const { tap, reports } = aTap();
  t.equal(tap(aRequest(), anAssignment()), undefined);
  t.equal(tap(aRequest(), { ...DRAWN, by: 'rule' }), undefined);
  t.equal(tap(aRequest('r', { model: 'other' }), DRAWN), undefined);
  t.same(reports, []);
});
