import t from 'tap';
import { DEFAULT_MARGINS, defaultSteps } from '../../../src/config/defaults.ts';
import type { Step } from '../../../src/core/rollout.ts';
import { planOf } from '../../../src/rollout/plan/plan.ts';
import { aSpec } from '../builders.ts';

const STEPS: readonly Step[] = [
  { kind: 'setMirror', percentage: 50, twin: 20 },
  { kind: 'analysis', require: ['pairedErrors', 'labelledLoss'], reject: [] },
  { kind: 'setWeight', percent: 10, control: true },
  { kind: 'setWeight', percent: 50, control: false },
  { kind: 'analysis', require: ['errors'], reject: [] },
  { kind: 'promote' },
];

/** Neither version ever fails, and every difference is noise of neither. */
const SOUND = { errorRate: 0, disagreementRate: 0 };

// For a margin of 1 % at a ratio of 1, and no failure at all.
t.test('expects the published number of pairs where nothing ever differs', async (t) => {
  const steps: readonly Step[] = [
    { kind: 'setMirror', percentage: 100, twin: 0 },
    { kind: 'analysis', require: ['pairedErrors'], reject: [] },
    { kind: 'promote' },
  ];
  const plan = planOf(aSpec({ steps }), { requestsPerSecond: 10, assumptions: SOUND });
  const pairs = plan.steps[1]?.requests ?? 0;
  t.equal(pairs, 400);
  const limit = plan.limit ?? 0;
  t.ok(Math.abs(limit - Math.log(20) / Math.log(1 / 0.99)) < 2, `${limit}`);
});

t.test('only twinned pairs show an equivalence, so few twins take long', async (t) => {
  const pairsOf = (twin: number): number => {
    const steps: readonly Step[] = [
      { kind: 'setMirror', percentage: 100, twin },
      { kind: 'analysis', require: ['disagreement'], reject: [] },
    ];
    return planOf(aSpec({ steps }), { requestsPerSecond: 10 }).steps[1]?.requests ?? 0;
  };
  t.ok(Math.abs(pairsOf(20) / pairsOf(100) - 5) < 0.01);
});

t.test(
  'a claim of better is planned for a candidate that is, and says how little is proven',
  async (t) => {
    const steps: readonly Step[] = [
      { kind: 'setMirror', percentage: 100, twin: 0 },
      { kind: 'analysis', require: ['labelledLoss'], reject: [] },
      { kind: 'promote' },
    ];
    const labels = { windowMs: 1_000, selection: 'random' } as const;
    const spec = aSpec({ steps, labels, claim: 'superior', maxDurationMs: 86_400_000 });
    const plan = planOf(spec, { requestsPerSecond: 10 });
    t.equal(plan.improvement, spec.margins.labelledLoss);
    t.ok(plan.labels !== undefined && plan.labels > 1_000 && plan.labels < 4_000, `${plan.labels}`);
    t.ok((plan.limit ?? 0) < (plan.labels ?? 0));
    const least = plan.leastImprovement ?? 1;
    t.ok(least > 0 && least < spec.margins.labelledLoss, `${least}`);
    const plain = planOf({ ...spec, claim: 'noWorse' }, { requestsPerSecond: 10 });
    t.match(plain, { improvement: undefined, leastImprovement: undefined });
  },
);

t.test('adds up the steps, counting what earlier ones have brought', async (t) => {
  const spec = aSpec({ steps: STEPS, minRequests: 0 });
  const plan = planOf(spec, { requestsPerSecond: 10 });
  const requests = plan.steps.map((step) => step.requests ?? -1);
  t.same([requests[0], requests[3], requests[5]], [0, 0, 0]);
  t.ok((requests[2] ?? 0) > 0, 'the first share has a claim to show');
  t.equal(plan.steps[1]?.slowest, 'labelledLoss');
  t.equal(plan.steps[2]?.slowest, 'errors');
  t.equal(
    plan.requests,
    requests.reduce((sum, count) => sum + count, 0),
  );
  t.ok(Math.abs((plan.hours ?? 0) * 36_000 - (plan.requests ?? 0)) < 5);
  const slower = planOf(spec, { requestsPerSecond: 1 });
  t.equal(slower.requests, plan.requests, 'the rate changes the time, not the requests');
  t.ok(slower.isTooLong && !plan.isTooLong);
  const floored = planOf(aSpec({ steps: STEPS, minRequests: 20_000 }), { requestsPerSecond: 10 });
  t.same([floored.steps[2]?.requests, floored.steps[3]?.requests], [200_000, 40_000]);
  t.equal(floored.steps[4]?.requests, 0, 'the errors are proven before the analysis begins');
});

t.test('a share lasts its least time, and what comes meanwhile counts', async (t) => {
  const spec = aSpec({ steps: STEPS, minRequests: 0, minDurationMs: 600_000 });
  const plan = planOf(spec, { requestsPerSecond: 1_000 });
  t.same(
    [plan.steps[2], plan.steps[3]].map((step) => step?.hours),
    [1 / 6, 1 / 6],
  );
  t.same([plan.steps[2]?.requests, plan.steps[4]?.requests], [600_000, 0]);
  t.equal(plan.steps[2]?.slowest, undefined);
  const unknown = planOf(spec, { requestsPerSecond: undefined });
  t.equal(unknown.steps[3]?.hours, 1 / 6, 'time passes at any rate');
});

t.test(
  'the limit is below what is expected, and a default rollout is within four times of it',
  async (t) => {
    const steps = defaultSteps('improve');
    const spec = aSpec({ steps, intent: 'improve', margins: DEFAULT_MARGINS, minRequests: 0 });
    for (const errorRate of [0, 0.001, 0.005, 0.01]) {
      const plan = planOf(spec, { requestsPerSecond: 1, assumptions: { errorRate } });
      const ratio = (plan.requests ?? Number.NaN) / (plan.limit ?? Number.NaN);
      t.ok(ratio > 1 && ratio < 4, `${errorRate}: ${plan.requests} over ${plan.limit}`);
    }
  },
);

t.test('slow requests take their blocks of time at any rate', async (t) => {
  const steps: readonly Step[] = [
    { kind: 'setWeight', percent: 50, control: false },
    { kind: 'analysis', require: ['slowRequests'], reject: [] },
    { kind: 'promote' },
  ];
  const hoursAt = (requestsPerSecond: number, minDurationMs: number): number =>
    planOf(aSpec({ steps, margins: DEFAULT_MARGINS, minRequests: 0, minDurationMs }), {
      requestsPerSecond,
    }).hours ?? 0;
  t.ok(hoursAt(10_000, 0) >= 250 / 3600, 'at least 24 blocks of 10 s, and the newest');
  const [short, long] = [hoursAt(10_000, 0), hoursAt(10_000, 60_000)];
  t.ok(Math.abs(short - long) < 1e-9, 'time at the share before counts');
});

t.test(
  'of drawn labels a plan has those of the pairs that differ, at any probability',
  async (t) => {
    const steps: readonly Step[] = [
      { kind: 'setMirror', percentage: 100, twin: 0 },
      { kind: 'analysis', require: ['labelledLoss'], reject: [] },
      { kind: 'promote' },
    ];
    const planned = (probability: number) => {
      const queue = { probability, minProbability: probability };
      const labels = { windowMs: 1_000, selection: 'drawn', queue } as const;
      const { labels: wanted = 0, steps: walked } = planOf(aSpec({ steps, labels }), {
        requestsPerSecond: undefined,
        assumptions: { discordantRate: 0.05, labelledRatio: 0.2 },
      });
      return { wanted, pairs: walked[1]?.requests ?? 0 };
    };
    const [all, quarter] = [planned(1), planned(0.25)];
    t.ok(Math.abs(all.wanted - 0.05 * all.pairs) <= 1, `${all.wanted} of ${all.pairs}`);
    t.ok(quarter.pairs > 3 * all.pairs);
    t.ok(quarter.wanted < 1.3 * all.wanted, `${quarter.wanted} for ${all.wanted}`);
  },
);

t.test('labels count once their window has ended', async (t) => {
  const labels = { windowMs: 7_200_000, selection: 'random' } as const;
  const hoursOf = (fields: object): number =>
    planOf(aSpec({ steps: STEPS, ...fields }), { requestsPerSecond: 10 }).steps[1]?.hours ?? 0;
  t.ok(Math.abs(hoursOf({ labels }) - hoursOf({}) - 2) < 1e-6);
});

t.test('says what becomes of candidates that fail more often', async (t) => {
  const spec = aSpec({ steps: defaultSteps('equivalent'), margins: DEFAULT_MARGINS });
  const { effects, requests = 0 } = planOf(spec, { requestsPerSecond: 50 });
  t.same(
    effects.map(({ times }) => times),
    [2, 5, 10],
  );
  const [twice, , tenfold] = effects;
  t.match(twice, { isStopped: false, worse: undefined });
  t.ok((twice?.requests ?? 0) >= requests, 'within the margins: it takes longer, and is promoted');
  t.match(tenfold, { isStopped: true, worse: 'pairedErrors', failed: 0 }, 'found in shadow');
});

t.test(
  'a worse candidate that is neither found nor let through in time is stopped by time',
  async (t) => {
    const spec = { ...aSpec({ steps: STEPS }), maxDurationMs: 600_000 };
    const slow = planOf(spec, { requestsPerSecond: 10 }).effects[2];
    t.match(slow, { isStopped: true, worse: undefined, requests: undefined, hours: undefined });
    const whole = planOf({ ...spec, maxDurationMs: 1e12 }, { requestsPerSecond: 10 }).effects[2];
    t.ok((whole?.requests ?? 0) > 6_000, 'it would have taken longer');
    t.ok((slow?.failed ?? 0) <= (whole?.failed ?? 0), 'failures are those until then');
  },
);

t.test('the least harm that is found grows as traffic gets less', async (t) => {
  const spec = aSpec({ steps: STEPS });
  const rateAt = (requestsPerSecond: number): number =>
    planOf(spec, { requestsPerSecond }).smallest.find(({ metric }) => metric === 'errors')?.rate ??
    1;
  const [many, few] = [rateAt(1_000), rateAt(1)];
  t.ok(many > 0.001 && many < few && few < 1, `${many}, ${few}`);
  t.same(planOf(spec, { requestsPerSecond: undefined }).smallest, []);
});

t.test('a further attempt needs more evidence, and the plan says so', async (t) => {
  const first = planOf(aSpec({ steps: STEPS, attempt: { number: 1 } }), { requestsPerSecond: 10 });
  const third = planOf(aSpec({ steps: STEPS, attempt: { number: 3 } }), { requestsPerSecond: 10 });
  t.ok((third.requests ?? 0) > (first.requests ?? 0));
  t.equal(third.attempt?.number, 3);
});

t.test('labels are counted until they have proven what they are for', async (t) => {
  const plan = planOf(aSpec({ steps: STEPS }), {
    requestsPerSecond: 10,
    assumptions: { labelledRatio: 0.5 },
  });
  const pairs = (plan.steps[1]?.requests ?? 0) / 2;
  t.ok(Math.abs((plan.labels ?? 0) - pairs / 2) <= 1, `${plan.labels} of ${pairs}`);
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

t.test('names the metrics that a maximum of samples is too small for', async (t) => {
  const beyond = (maxSamples: number | undefined): readonly string[] => {
    const spec = aSpec({ steps: STEPS, ...(maxSamples !== undefined && { maxSamples }) });
    return planOf(spec, { requestsPerSecond: 10 }).beyondMax;
  };
  t.same(beyond(undefined), []);
  t.same(beyond(1_000_000), []);
  t.ok(beyond(100).length > 0, `${beyond(100)}`);
});

t.test('says that a step does not end by itself', async (t) => {
  const spec = aSpec({ steps: [{ kind: 'analysis', require: ['errors'], reject: [] }] });
  t.match(planOf(spec, { requestsPerSecond: 10 }), { requests: undefined, isTooLong: true });
  const paused = aSpec({ steps: [{ kind: 'pause', durationMs: undefined }] });
  t.match(planOf(paused, { requestsPerSecond: 10 }), { hours: undefined, isTooLong: true });
  const timed = aSpec({ steps: [{ kind: 'pause', durationMs: 60_000 }] });
  t.match(planOf(timed, { requestsPerSecond: 10 }), { requests: 600 });
});

t.test('a holdback is in no sum of the plan, and says what it can find', async (t) => {
  const holdback = { percent: 5, durationMs: 6 * 3_600_000 };
  const steps: readonly Step[] = [...STEPS.slice(0, -1), { kind: 'promote', holdback }];
  const margins = DEFAULT_MARGINS;
  const plan = planOf(aSpec({ steps, margins }), { requestsPerSecond: 10 });
  t.match(plan.steps.at(-1), { requests: 0, hours: 0, task: /^promote, with 5 % held back/ });
  t.match(plan.holdback, { percent: 5, hours: 6, requests: 10_800 });
  t.same(
    plan.holdback?.smallest.map(({ metric }) => metric),
    ['errors', 'slowRequests'],
  );
  const rateAt = (requestsPerSecond: number): number => {
    const { holdback } = planOf(aSpec({ steps, margins }), { requestsPerSecond });
    return holdback?.smallest[0]?.rate ?? 1;
  };
  t.ok(rateAt(100) < rateAt(10) && rateAt(100) > 0.004, `${rateAt(100)} < ${rateAt(10)}`);
  t.same(planOf(aSpec({ steps }), { requestsPerSecond: undefined }).holdback?.smallest, []);
  t.equal(planOf(aSpec({ steps: STEPS }), { requestsPerSecond: 1 }).holdback, undefined);
});

t.test(
  'labels of live answers are planned for both what they prove and what they find',
  async (t) => {
    const steps: readonly Step[] = [
      { kind: 'setWeight', percent: 50, control: false },
      { kind: 'analysis', require: ['liveLoss'], reject: [] },
      { kind: 'promote' },
    ];
    const labels = { windowMs: 3_600_000, selection: 'random' } as const;
    const spec = aSpec({ steps, labels, rules: 2 });
    const plan = planOf(spec, { requestsPerSecond: undefined });
    t.equal(plan.steps[1]?.slowest, 'liveLoss');
    const { requests = 0, limit = 0 } = plan;
    t.ok(requests > 1_000 && limit > 0 && limit < requests, `${requests} requests`);
    const tenth = planOf(spec, {
      requestsPerSecond: undefined,
      assumptions: { labelledRatio: 0.1 },
    });
    t.ok((tenth.requests ?? 0) > 8 * requests, 'a tenth of the labels');
    const timed = planOf(spec, { requestsPerSecond: 100 });
    t.ok((timed.hours ?? 0) > 1, 'the last label comes an hour later');
    const [least] = timed.smallest.filter(({ metric }) => metric === 'liveLoss');
    t.ok((least?.rate ?? 0) > (least?.reference ?? 1) + 0.02, `${least?.rate} is found`);
  },
);

t.test('says how many distinct users live errors take, regardless of the traffic', async (t) => {
  const steps = defaultSteps('equivalent');
  const unitsOf = (requestsPerSecond: number, spec = aSpec({ steps, margins: DEFAULT_MARGINS })) =>
    planOf(spec, { requestsPerSecond, assumptions: { errorRate: 0 } }).units ?? 0;
  t.ok(unitsOf(50) > 3_000 && unitsOf(50) < 5_000, `${unitsOf(50)}`);
  t.equal(unitsOf(1), unitsOf(50));
  t.equal(planOf(aSpec({ steps: STEPS.slice(0, 2) }), { requestsPerSecond: 1 }).units, undefined);
});
