import t from 'tap';
import { compare } from '../../src/compare/compare.ts';
import { allowedNonFinite, faultOfLive, faultOfSide } from '../../src/compare/fault.ts';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import type { FailureKind } from '../../src/core/failure-kind.ts';
import type { Observation } from '../../src/core/outcome.ts';
import { judgePairedErrors } from '../../src/decide/paired-errors.ts';
import { aSpec } from '../decide/builders.ts';
import { aComparison, aLive, anAnswer, aPair, aTensor, aWindow, FAILURE } from './builders.ts';

const NONE = allowedNonFinite(undefined);
const FINE = anAnswer(aTensor([0.9, 0.1]));
const withNan = (...nonFinite: string[]): Observation => ({
  kind: 'answer',
  outputs: [aTensor([Number.NaN, 0.1])],
  computeMs: 1,
  nonFinite,
});

t.test('an answer of NaN is a failure of the side that gives it alone', async (t) => {
  t.equal(faultOfSide(withNan('y'), FINE, NONE), 'nonFinite');
  t.equal(faultOfSide(FINE, withNan('y'), NONE), undefined);
  t.equal(faultOfSide(withNan('y'), withNan('y'), NONE), undefined, 'callers get the same');
  t.equal(faultOfSide(withNan('y', 'z'), withNan('y'), NONE), 'nonFinite', 'output by output');
  t.equal(faultOfSide(withNan('y'), FAILURE, NONE), 'nonFinite');
  t.equal(faultOfSide(FAILURE, withNan('y'), NONE), 'runtime');
});

t.test('NaN is no failure of an output that may have it', async (t) => {
  const allowed = allowedNonFinite({ outputs: { y: { nonFinite: 'allow' }, z: {} } });
  t.equal(faultOfSide(withNan('y'), FINE, allowed), undefined);
  t.equal(faultOfSide(withNan('y', 'z'), FINE, allowed), 'nonFinite');
  const end = { startedMs: 0, endedMs: 1, failure: undefined };
  t.equal(faultOfLive({ ...end, nonFinite: ['y'] }, allowed), undefined);
  t.equal(faultOfLive({ ...end, nonFinite: ['z'] }, allowed), 'nonFinite');
});

t.test('what the caller did fails no arm, and each failure of an arm has its kind', async (t) => {
  const kindOf = (failure: NonNullable<Parameters<typeof faultOfLive>[0]['failure']>) =>
    faultOfLive({ startedMs: 0, endedMs: 1, failure }, NONE);
  t.equal(kindOf('cancelled'), undefined);
  t.equal(kindOf('too_large'), undefined);
  t.equal(kindOf('deadline_exceeded'), 'timeout');
  t.equal(kindOf('invalid_input'), 'refused');
  const missing = { startedMs: 0, endedMs: 1, failure: 'runtime_failed' } as const;
  t.equal(faultOfLive({ ...missing, failureKind: 'missing' }, NONE), 'missing');
});

t.test('a pair with NaN on one side alone is a paired error of that side', async (t) => {
  const comparator = { name: 'none', score: () => ({ score: 0, difference: 'same' as const }) };
  const errorsOf = (over: Parameters<typeof aPair>[0], rules: 1 | 2 = 2) => {
    const window = aWindow({ rules });
    window.addComparison(compare(aPair(over), comparator, NONE));
    return window.snapshot();
  };
  const candidate = errorsOf({ candidate: withNan('y') });
  t.same(candidate.pairedFailures, { '1:0/1': 1 });
  t.same(candidate.failures, { candidate: { nonFinite: 1 }, reference: {} });
  t.same(errorsOf({ stable: withNan('y') }).pairedFailures, { '0:1/1': 1 });
  const both = errorsOf({ stable: withNan('y'), candidate: withNan('y') });
  t.same(both.pairedFailures, { '0:0/1': 1 });
  const before = errorsOf({ candidate: withNan('y') }, 1);
  t.same(before.pairedErrors.down, { 0: 1 }, 'rules 1 keep what they counted');
  t.notOk('failures' in before);
});

t.test('a live answer of NaN and a one-sided refusal are errors of either arm alike', async (t) => {
  for (const side of ['candidate', 'reference'] as const) {
    const window = aWindow();
    const bad = [
      { fault: 'nonFinite' },
      { fault: 'refused', failure: 'invalid_input' },
      { fault: 'timeout', failure: 'deadline_exceeded' },
    ] as const;
    const told: string[] = [];
    const watched = aWindow({ onFailure: (arm, kind) => told.push(`${arm} ${kind}`) });
    for (const [at, over] of bad.entries()) {
      const live = aLive({ side, startedMs: at * 10, endedMs: at * 10 + 1, ...over });
      for (const each of [window, watched]) each.addLive(live);
    }
    window.addLive(aLive({ side, startedMs: 90, endedMs: 91, failure: 'invalid_input' }));
    const { live, failures } = window.snapshot();
    t.match(live['500:9500']?.[side], { requests: 3, errors: 3, erredRequests: 3 });
    t.same(failures?.[side], { nonFinite: 1, refused: 1, timeout: 1 });
    t.same(told, [`${side} nonFinite`, `${side} refused`, `${side} timeout`]);
  }
});

// Each side fails 2 % of the pairs in a way of its own: in all ways the two come out even.
t.test(
  'an identical version that fails as often is not worse, and one that answers NaN is',
  async (t) => {
    const kinds: readonly FailureKind[] = ['nonFinite', 'runtime', 'shape'];
    const findingOf = (stableEvery: number) => {
      const window = aWindow();
      for (let at = 0; at < 4_000; at += 1) {
        const kind = kinds[at % 3];
        window.addComparison(
          aComparison({
            candidateFault: at % 50 === 0 ? kind : undefined,
            stableFault: at % stableEvery === 7 ? kind : undefined,
          }),
        );
      }
      const { proof } = judgePairedErrors({ ...NO_EVIDENCE, ...window.snapshot() }, aSpec());
      return proof.kind === 'evidence' ? proof.logHarm : Number.NaN;
    };
    t.ok(findingOf(50) < 0, 'fails alike');
    t.ok(findingOf(5_000) > 8, 'fails alone');
  },
);
