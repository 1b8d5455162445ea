import fc from 'fast-check';
import t from 'tap';
import { type Evidence, NO_EVIDENCE } from '../../src/core/evidence.ts';
import { METRIC_NAMES, type MetricName, type Verdict } from '../../src/core/verdict.ts';
import { decide } from '../../src/decide/decide.ts';
import { metricLabel, metricPlans } from '../../src/decide/metric-plans.ts';
import {
  anExposure,
  aSpec,
  blocks,
  differences,
  failedPairs,
  goodEvidence,
  repeated,
  sharesOf,
} from './builders.ts';

const SHADOW: readonly MetricName[] = ['disagreement', 'pairedErrors', 'labelledLoss'];
const LIVE: readonly MetricName[] = ['errors', 'slowRequests'];
const ALL = [...SHADOW, ...LIVE];
const SLICE = 'labelledLoss{garment=upper,tone=dark}';

function verdictOn(
  changes: Partial<Evidence>,
  require: readonly MetricName[] = ALL,
  spec = aSpec(),
): Verdict {
  return decide({ evidence: goodEvidence(changes), spec, require });
}

function statusOf(verdict: Verdict, label: string) {
  const status = verdict.metrics.find((metric) => metricLabel(metric) === label);
  if (status === undefined) throw new Error(`no status of ${label}`);
  return status;
}

t.test('passes a candidate that is proven no worse in everything required', async (t) => {
  const verdict = verdictOn({});
  t.same(verdict.reasons, []);
  t.equal(verdict.kind, 'pass');
  t.same(verdict.decidedBy, []);
  t.equal(statusOf(verdict, 'pairedLatency').finding, 'undecided', 'it can only reject');
  t.equal(statusOf(verdict, 'errors').samplesToGo, 0);
});

t.test(
  'fails on any planned metric that is proven worse, even one that the step does not require',
  async (t) => {
    const cases: readonly [string, Partial<Evidence>][] = [
      ['disagreement', { excessDisagreement: differences([0, 1_000], [1, 200]) }],
      ['pairedErrors', { pairedFailures: failedPairs([0, 0, 500], [1, 0, 60]) }],
      ['pairedLatency', { latencyBlocks: blocks(repeated(30, [20, 19]), 10_000) }],
      ['labelledLoss', { labelledLoss: differences([-1, 10], [0, 500], [1, 90]) }],
      [
        SLICE,
        {
          labelledLossBySlice: {
            'garment=upper,tone=dark': differences([-1, 10], [0, 300], [1, 90]),
          },
        },
      ],
      ['errors', { live: { '500:500': anExposure({ errors: 60 }, { errors: 4 }) } }],
      ['slowRequests', slow(30)],
    ];
    for (const [label, changes] of cases) {
      const verdict = verdictOn(changes, []);
      t.equal(verdict.kind, 'fail', label);
      t.same(verdict.decidedBy, [label]);
    }
  },
);

/** So many of 60 requests of the candidate in each block are slow, and one of the reference. */
function slow(candidate: number): Partial<Evidence> {
  return {
    slowBlocks: blocks(repeated(60, [60, candidate, 60, 1])),
    live: { '500:500': anExposure({ slow: candidate * 30 }, { slow: 30 }) },
  };
}

t.test('a slice that is worse fails a candidate whose mean is better', async (t) => {
  const verdict = verdictOn({
    labelledLoss: differences([-1, 300], [0, 2_500], [1, 100]),
    labelledLossBySlice: { 'garment=upper,tone=dark': differences([-1, 5], [0, 200], [1, 60]) },
  });
  t.equal(verdict.kind, 'fail');
  t.same(verdict.decidedBy, [SLICE]);
});

t.test('a split that is not as assigned is an error, and harm is still a fail', async (t) => {
  const lost = anExposure({ units: 1_500 }, { units: 2_500 });
  const broken = verdictOn({ live: { '500:500': lost } });
  t.equal(broken.kind, 'error');
  t.match(broken.reasons, [/sample ratio mismatch: the candidate had 1500 units where 2000/]);
  const worse = verdictOn({
    live: { '500:500': lost },
    pairedFailures: failedPairs([0, 0, 500], [1, 0, 60]),
  });
  t.equal(worse.kind, 'fail');
  t.match(worse.reasons, [/sample ratio mismatch/]);
});

t.test(
  'the split is that of units which count once, not of those met after a restart',
  async (t) => {
    const lost = { '500:500': anExposure({ units: 1_500 }, { units: 2_500 }) };
    const even = sharesOf({ '500:500': anExposure({ units: 2_000 }, { units: 2_000 }) });
    t.not(verdictOn({ live: lost, liveErrors: even }).kind, 'error');
    t.equal(verdictOn({ liveErrors: sharesOf(lost) }).kind, 'error');
  },
);

t.test('no evidence is never a pass, and what is missing is named', async (t) => {
  const verdict = decide({ evidence: NO_EVIDENCE, spec: aSpec(), require: ALL });
  t.equal(verdict.kind, 'inconclusive');
  t.same(verdict.reasons, [
    'disagreement: no compared pairs',
    'pairedErrors: no compared pairs',
    'labelledLoss: no labels',
    `${SLICE}: slice empty: no labelled pair in it`,
    'errors: no live requests of the candidate',
    'slowRequests: no live requests of both arms at equal shares since a threshold was known: use control: true, or 50 %',
    'mirror coverage is not yet known: 0 of 100 sampled requests',
    'pairedLatency, which may reject: no twin pairs yet',
  ]);
  fc.assert(
    fc.property(
      fc.subarray([...METRIC_NAMES]),
      fc.constantFrom('equivalent' as const, 'improve' as const),
      (require, intent) =>
        decide({ evidence: NO_EVIDENCE, spec: aSpec({ intent }), require }).kind === 'inconclusive',
    ),
  );
});

t.test('what is missing is named, one thing at a time', async (t) => {
  const improve = { intent: 'improve' as const };
  const dark = 'garment=upper,tone=dark';
  const cases: readonly [string | RegExp, Verdict][] = [
    ['disagreement: no twin pairs: set twin > 0', verdictOn({ excessDisagreement: differences() })],
    [
      'labelledLoss: no labels: 7 arrived, none of them for a compared pair',
      verdictOn({ labelledLoss: differences(), labels: { joined: 0, unmatched: 7 } }),
    ],
    [
      `${SLICE}: slice empty: no labelled pair in it`,
      verdictOn({ labelledLossBySlice: { 'tone=dark': differences([0, 900]) } }),
    ],
    [
      `${SLICE}: slice empty: no labelled pair in it`,
      verdictOn({ labelledLossBySlice: { [dark]: differences() } }),
    ],
    ['errors: no live requests of the reference', verdictOn(noReference(), ['errors'])],
    ['no metric is required here', verdictOn({}, [])],
    [
      'pairedLatency: it can only reject, so it can never be required',
      verdictOn(
        {},
        ['pairedLatency'],
        aSpec({ steps: [{ kind: 'analysis', require: ['pairedLatency'], reject: [] }] }),
      ),
    ],
    [
      'slowRequests: no analysis step names it',
      verdictOn(
        {},
        ['slowRequests'],
        aSpec({ steps: [{ kind: 'analysis', require: ['errors'], reject: [] }] }),
      ),
    ],
    [/no trusted expectedDisagreement/, verdictOn({}, ['disagreement'], aSpec(improve))],
    [
      /needs a required labelledLoss with labels, or .*; there is neither/,
      verdictOn({ labelledLoss: differences() }, ['errors'], aSpec(improve)),
    ],
  ];
  for (const [reason, verdict] of cases) {
    t.equal(verdict.kind, 'inconclusive');
    t.equal(verdict.reasons.length, 1);
    t.match(verdict.reasons[0], reason);
  }
});

t.test('labels that nothing is required of do not speak for an improvement', async (t) => {
  const steps = [
    { kind: 'setMirror', percentage: 100, twin: 0 },
    { kind: 'analysis', require: ['pairedErrors', 'errors'], reject: ['labelledLoss'] },
    { kind: 'promote' },
  ] as const;
  const oneLabel = { labelledLoss: differences([0, 1]) };
  for (const expectedDisagreement of [undefined, { rate: 0.08, digest: 'sha256:0' }]) {
    const spec = aSpec({ intent: 'improve', steps, expectedDisagreement });
    const verdict = verdictOn(oneLabel, ['pairedErrors', 'errors'], spec);
    t.match(verdict, { kind: 'inconclusive', reasons: [/means to improve/] });
  }
  const equivalent = aSpec({ steps });
  t.equal(verdictOn(oneLabel, ['pairedErrors', 'errors'], equivalent).kind, 'pass');
});

function noReference(): Partial<Evidence> {
  const seen = anExposure({ units: 3 }, { units: 0, requests: 0 });
  return { live: { '500:500': seen } };
}

t.test('coverage gates what the mirror saw, and only that', async (t) => {
  const mirror = goodEvidence().mirror;
  const low = { ...mirror, dropped: { queueFull: 600 } };
  t.match(verdictOn({ mirror: low }, SHADOW), {
    kind: 'inconclusive',
    reasons: [/^mirror coverage is 85\.9 % of 4540 sampled requests, 90\.0 % needed/],
  });
  t.equal(verdictOn({ mirror: low }, LIVE).kind, 'pass');
  const busy = { ...mirror.byLoad, 2: { sampled: 450, compared: 300 } };
  t.match(verdictOn({ mirror: { ...mirror, byLoad: busy } }, SHADOW), {
    kind: 'inconclusive',
    reasons: [
      /^mirror coverage is 68\.0 % at 2 or more live requests in flight, 70\.0 % needed: lower setMirror\.percentage$/,
    ],
  });
});

t.test('improve judges disagreement against the rate measured offline', async (t) => {
  const spec = aSpec({
    intent: 'improve',
    expectedDisagreement: { rate: 0.08, digest: 'sha256:0' },
  });
  const as = (rate: number): Verdict => {
    const differing = Math.round(3_000 * rate);
    const disagreement = differences([0, 3_000 - differing], [1, differing]);
    return verdictOn({ disagreement }, ['disagreement'], spec);
  };
  t.equal(as(0.08).kind, 'pass');
  t.equal(as(0.1).kind, 'inconclusive');
  t.equal(as(0.15).kind, 'fail');
  t.equal(statusOf(as(0.08), 'disagreement').margin, 'mean disagreement < 0.08 + 0.02');
});

t.test('two arms that never fail are proven no worse, by the absolute rate', async (t) => {
  const quiet = (units: number): Verdict =>
    verdictOn({ live: { '500:500': anExposure({ units }, { units }) } }, ['errors']);
  t.equal(quiet(200).kind, 'inconclusive');
  const toGo = statusOf(quiet(200), 'errors').samplesToGo ?? 0;
  t.equal(quiet(Math.ceil((400 + toGo) / 2)).kind, 'pass', 'after as many more as it said');
  t.equal(quiet(Math.floor((400 + toGo * 0.95) / 2)).kind, 'inconclusive', 'and not much before');
});

t.test('a rate below the absolute one is not worse, however it compares', async (t) => {
  const rare = anExposure({ units: 20_000, errors: 60 }, { units: 20_000, errors: 2 });
  const verdict = verdictOn({ live: { '500:500': rare } }, ['errors']);
  t.equal(verdict.kind, 'pass');
});

t.test('evidence that is not what it should be decides nothing', async (t) => {
  const broken: readonly Partial<Evidence>[] = [
    { pairedFailures: failedPairs([0, 0, Number.NaN]) },
    { pairedFailures: failedPairs([0, 0, 3_900], [2, 0, 1]) },
    { pairedFailures: { '0/1': 3_900 } },
    { pairedFailures: { '0:0/0': 3_900 } },
    { pairedFailures: failedPairs([0, 0, -5]) },
    { pairedFailures: failedPairs([0, 0, 0.5]) },
    { pairedTimeouts: { all: { late: 1 }, twinned: {} } },
  ];
  for (const changes of broken) {
    const verdict = verdictOn(changes, ['pairedErrors']);
    t.equal(verdict.kind, 'inconclusive');
    t.match(verdict.reasons, [/^pairedErrors: the evidence is not whole counts of failed pairs/]);
  }
  for (const live of [
    { '500:500': anExposure({ errors: Number.NaN }, {}) },
    { '500:500': anExposure({ errors: 3_000 }, {}) },
    { half: anExposure({}, {}) },
  ]) {
    t.match(verdictOn({ live }, ['errors']).reasons, [/live counts are not whole/]);
  }
  const margins = { ...aSpec().margins, pairedErrors: Number.NaN, labelledLoss: 2 };
  const verdict = verdictOn({}, ['pairedErrors', 'labelledLoss'], aSpec({ margins }));
  t.equal(verdict.kind, 'inconclusive');
  t.equal(verdict.reasons.length, 3);
});

t.test('units at an exposure where one arm had no weight do not count', async (t) => {
  const live = {
    ...goodEvidence().live,
    '0:10000': anExposure({ units: 0 }, { errors: 500 }),
    '10000:0': anExposure({ errors: 900 }, { units: 0 }),
  };
  t.same(verdictOn({ live }), verdictOn({}));
});

t.test('the budget is shared out over metrics and slices and adds up', async (t) => {
  const plans = metricPlans(aSpec());
  t.same(
    plans.map((plan) => [metricLabel(plan.key), plan.role]),
    [
      ['disagreement', 'gate'],
      ['pairedErrors', 'gate'],
      ['pairedLatency', 'reject'],
      ['labelledLoss', 'gate'],
      [SLICE, 'gate'],
      ['errors', 'gate'],
      ['slowRequests', 'gate'],
    ],
  );
  const sum = plans.reduce((total, plan) => total + plan.weight, 0);
  t.ok(Math.abs(sum - 1) < 1e-12);
  const status = statusOf(verdictOn({}), 'errors');
  t.ok(Math.abs(status.logHarmNeeded - Math.log(7 / 0.05)) < 1e-12);
  t.ok(Math.abs(status.logSafeNeeded - Math.log(1 / 0.05)) < 1e-12);
  t.same(metricPlans(aSpec({ steps: [] })), []);
});

t.test('a verdict survives being written as JSON', async (t) => {
  for (const verdict of [
    verdictOn({}),
    decide({ evidence: NO_EVIDENCE, spec: aSpec(), require: ALL }),
    verdictOn({ pairedFailures: failedPairs([1, 0, 100_000]) }),
  ]) {
    t.strictSame(JSON.stringify(JSON.parse(JSON.stringify(verdict))), JSON.stringify(verdict));
    const numbers = verdict.metrics.flatMap((metric) => Object.values(metric));
    t.ok(numbers.every((value) => typeof value !== 'number' || Number.isFinite(value)));
    t.notOk(numbers.some((value) => Object.is(value, -0)));
  }
});
