import t from 'tap';
import type { Step } from '../../src/core/rollout.ts';
import { planOf } from '../../src/rollout/plan.ts';
import { PLAN_ASSUMPTIONS, samplesToProve } from '../../src/rollout/plan-samples.ts';
import { aSpec } from './builders.ts';

const STEPS: readonly Step[] = [
  { kind: 'setMirror', percentage: 50, twin: 20 },
  { kind: 'analysis', require: ['pairedErrors', 'labelledLoss'], reject: [] },
  { kind: 'setWeight', percent: 10, control: true },
  { kind: 'setWeight', percent: 50, control: false },
  { kind: 'analysis', require: ['errors'], reject: [] },
  { kind: 'promote' },
];

// The published figure: with a margin of 1 %, no event and alpha 5 %, about 4/m samples (396 by the exact mixture).
t.test('expects the published number of pairs where nothing ever differs', async (t) => {
  const sampling = {
    spec: aSpec(),
    assumptions: PLAN_ASSUMPTIONS,
    shares: { weight: 0, reference: 1 },
  };
  const pairs = samplesToProve('pairedErrors', sampling);
  t.ok(pairs > 380 && pairs < 420, `${pairs}`);
  t.equal(samplesToProve('pairedLatency', sampling), Number.POSITIVE_INFINITY);
});

t.test('adds up the steps, counting what earlier ones have brought', async (t) => {
  const spec = aSpec({ steps: STEPS, minRequests: 200 });
  const plan = planOf(spec, { requestsPerSecond: 10 });
  const requests = plan.steps.map((step) => step.requests ?? -1);
  t.same([requests[0], requests[2], requests[3], requests[5]], [0, 2000, 400, 0]);
  t.equal(plan.steps[1]?.slowest, 'labelledLoss');
  t.equal(
    plan.requests,
    requests.reduce((sum, count) => sum + count, 0),
  );
  t.ok(Math.abs((plan.hours ?? 0) * 36_000 - (plan.requests ?? 0)) < 5);
  const slower = planOf(spec, { requestsPerSecond: 1 });
  t.equal(slower.requests, plan.requests, 'the rate changes the time, not the requests');
  t.ok(slower.isTooLong && !plan.isTooLong);
  const longer = planOf(aSpec({ steps: STEPS, minRequests: 2000 }), { requestsPerSecond: 10 });
  t.equal(longer.steps[4]?.requests, 0, 'the errors are proven before the analysis begins');
});

t.test('a slice takes as much longer as it is rare', async (t) => {
  const plain = planOf(aSpec({ steps: STEPS }), { requestsPerSecond: 10 });
  const sliced = planOf(aSpec({ steps: STEPS, slices: [{ tone: 'dark' }] }), {
    requestsPerSecond: 10,
    assumptions: { sliceRatio: 0.05 },
  });
  t.equal(sliced.steps[1]?.slowest, 'labelledLoss{tone=dark}');
  const ratio = (sliced.steps[1]?.requests ?? 0) / (plain.steps[1]?.requests ?? 1);
  t.ok(Math.abs(ratio - 20) < 0.1, `${ratio}`);
});

t.test(
  'says how many requests would meet a failure, at any rate: a handful, and those of one tick',
  async (t) => {
    const spec = aSpec({ steps: STEPS });
    const slow = planOf(spec, { requestsPerSecond: 1 }).failuresSeen;
    t.ok(slow >= 8 && slow <= 20, `${slow}`);
    const fast = planOf(spec, { requestsPerSecond: 1000, tickMs: 250 }).failuresSeen;
    t.equal(fast, slow + 25);
    const shadowOnly = planOf(aSpec({ steps: STEPS.slice(0, 2) }), { requestsPerSecond: 1000 });
    t.equal(shadowOnly.failuresSeen, 0);
  },
);

t.test('without a rate a plan counts requests and promises no hours', async (t) => {
  const spec = aSpec({ steps: [...STEPS, { kind: 'pause', durationMs: 3_600_000 }] });
  const [known, unknown] = [10, undefined].map((requestsPerSecond) =>
    planOf(spec, { requestsPerSecond }),
  );
  t.same(
    unknown?.steps.slice(0, 6).map(({ requests }) => requests),
    known?.steps.slice(0, 6).map(({ requests }) => requests),
  );
  t.match(unknown, { hours: undefined, isTooLong: false });
  t.equal(unknown?.steps[6]?.hours, 1, 'a pause has its own time');
});

t.test('says that a step does not end by itself', async (t) => {
  const spec = aSpec({ steps: [{ kind: 'analysis', require: ['errors'], reject: [] }] });
  t.match(planOf(spec, { requestsPerSecond: 10 }), { requests: undefined, isTooLong: true });
  const paused = aSpec({ steps: [{ kind: 'pause', durationMs: undefined }] });
  t.match(planOf(paused, { requestsPerSecond: 10 }), { hours: undefined, isTooLong: true });
  const timed = aSpec({ steps: [{ kind: 'pause', durationMs: 60_000 }] });
  t.match(planOf(timed, { requestsPerSecond: 10 }), { requests: 600 });
});
