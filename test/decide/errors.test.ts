import t from 'tap';
import { type Evidence, NO_EVIDENCE } from '../../src/core/evidence.ts';
import { claimShown } from '../../src/decide/claim-shown.ts';
import { judgeErrors } from '../../src/decide/errors.ts';
import { statusOf } from '../../src/decide/judgement.ts';
import { anExposure, aSpec, feltOf, sharesOf } from './builders.ts';

const SPEC = aSpec();
const PLAN = { key: { metric: 'errors', slice: undefined }, role: 'gate', weight: 0.2 } as const;

/** Live evidence of units with one request each. */
function seen(live: Evidence['live']): Evidence {
  return { ...NO_EVIDENCE, live, liveErrors: sharesOf(live), liveFelt: feltOf(live) };
}

function findingOf(live: Evidence['live']) {
  return statusOf(PLAN, judgeErrors(seen(live), SPEC), SPEC);
}

t.test('a candidate within twice the rate plus the absolute one is proven no worse', async (t) => {
  const both = {
    '500:500': anExposure({ units: 9_000, errors: 45 }, { units: 9_000, errors: 45 }),
  };
  t.match(findingOf(both), { finding: 'nonInferior', margin: 'rate < 2 x reference plus 0.5 %' });
  const none = { '500:500': anExposure({ units: 1_000 }, { units: 1_000 }) };
  t.match(findingOf(none), { finding: 'nonInferior', estimate: undefined });
});

t.test('what lies between either limit and their sum is not proven worse', async (t) => {
  // 1.4 % against 0.5 %: beyond twice, beyond 0.5 %, within 1 % + 0.5 %.
  const between = anExposure({ units: 40_000, errors: 560 }, { units: 40_000, errors: 200 });
  t.not(findingOf({ '500:500': between }).finding, 'worse');
  const beyond = anExposure({ units: 40_000, errors: 1_000 }, { units: 40_000, errors: 200 });
  t.equal(findingOf({ '500:500': beyond }).finding, 'worse');
});

t.test('bursts that hide in one event each hold the proof back', async (t) => {
  const live = {
    '500:500': anExposure(
      { units: 9_000, errors: 5, requests: 10_000, erredRequests: 900 },
      { units: 9_000, errors: 5, requests: 10_000, erredRequests: 50 },
    ),
  };
  const status = findingOf(live);
  t.equal(status.finding, 'undecided');
  t.equal(
    status.missing,
    "9 % of the candidate's requests failed, bursts and returning users included, at most 1.5 % expected",
  );
});

t.test('a coarser claim is shown with less than the whole one takes', async (t) => {
  const evidence = seen({ '500:500': anExposure({ units: 150 }, { units: 150 }) });
  const ask = { evidence, before: undefined, spec: SPEC, metric: 'errors' } as const;
  t.match(claimShown({ ...ask, factor: 10 }), { isShown: true, samples: 300, missing: undefined });
  const whole = claimShown({ ...ask, factor: 1 });
  t.match(whole, { isShown: false, samples: 300 });
  t.ok((whole.samplesToGo ?? 0) > 450, `${whole.samplesToGo} to go`);
  t.match(claimShown({ ...ask, factor: 200 }), { isShown: true }, 'a limit of all requests');
});

t.test('a claim that allows nearly all requests is shown as well', async (t) => {
  const evidence = seen({ '500:500': anExposure({ units: 150 }, { units: 150 }) });
  const [ask, margins] = [{ evidence, before: undefined, metric: 'errors' } as const, SPEC.margins];
  const spec = { ...SPEC, margins: { ...margins, errors: { ratio: 2, absolute: 0.197 } } };
  t.match(claimShown({ ...ask, spec, factor: 5 }), { isShown: true, samples: 300 });
});

t.test('a claim of a step counts what was seen in that step alone', async (t) => {
  const before = seen({ '500:500': anExposure({ units: 1_000, errors: 2 }, { units: 1_000 }) });
  const evidence = seen({
    '500:500': anExposure({ units: 1_100, errors: 3 }, { units: 1_110 }),
    '2500:2500': anExposure({ units: 40 }, { units: 50 }),
  });
  const ask = { spec: SPEC, metric: 'errors', factor: 10 } as const;
  t.equal(claimShown({ ...ask, evidence, before }).samples, 300);
  t.match(claimShown({ ...ask, evidence: before, before: evidence }), {
    isShown: false,
    missing: 'the live counts are not whole and consistent',
  });
  t.match(claimShown({ ...ask, evidence: before, before }), {
    isShown: false,
    missing: 'no live requests of the candidate',
  });
});
