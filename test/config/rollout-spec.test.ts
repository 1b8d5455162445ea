import t from 'tap';
import type { RolloutSection } from '../../src/config/rollout-section.ts';
import { parseRolloutRequest, rolloutSpecFrom } from '../../src/config/rollout-spec.ts';
import { RULES_VERSION, type Step } from '../../src/core/rollout.ts';
import type { MetricName } from '../../src/core/verdict.ts';

const TARGET = { model: 'fashion', stable: '1', candidate: '2', attributes: ['tone'] };

t.test('a section that says nothing claims equivalence with every margin set', (t) => {
  t.same(rolloutSpecFrom({}, TARGET), {
    model: 'fashion',
    stable: '1',
    candidate: '2',
    intent: 'equivalent',
    claim: 'noWorse',
    slices: [],
    margins: {
      disagreement: 0.01,
      pairedErrors: { ratio: 2, absolute: 0.002 },
      labelledLoss: 0.02,
      pairedLatency: { ratio: 1.25, floorMs: 0.1, blockMs: 10_000 },
      errors: { ratio: 2, absolute: 0.002 },
      slowRequests: { ratio: 2, quantile: 0.99, absolute: 0.002, blockMs: 5_000 },
    },
    errorBudget: { falseRollback: 0.05, falsePromotion: 0.05 },
    minRequests: 0,
    minDurationMs: 120_000,
    expectedDisagreement: undefined,
    onInconclusive: 'pause',
    maxDurationMs: 86_400_000,
    steps: [
      { kind: 'setMirror', percentage: 100, twin: 20 },
      {
        kind: 'analysis',
        require: ['disagreement', 'pairedErrors'],
        reject: ['pairedLatency'],
      },
      { kind: 'setWeight', percent: 5, control: true },
      { kind: 'setWeight', percent: 25, control: true },
      { kind: 'setWeight', percent: 50, control: true },
      { kind: 'analysis', require: ['errors', 'slowRequests'], reject: [] },
      { kind: 'promote' },
    ],
    unit: { requests: 20, windowMs: 60_000 },
    anchorShare: 100,
    rules: RULES_VERSION,
  });
  t.end();
});

t.test('an improvement has to be proven on labels', (t) => {
  const { steps } = rolloutSpecFrom({ intent: 'improve' }, TARGET);
  t.same(steps[1], {
    kind: 'analysis',
    require: ['labelledLoss', 'pairedErrors'],
    reject: ['pairedLatency'],
  });
  t.end();
});

t.test('a number is the absolute rate of failed pairs at a ratio of 1', (t) => {
  const marginOf = (pairedErrors: unknown, written = {}) => {
    const { overrides } = parseRolloutRequest({ candidate: '2', margins: { pairedErrors } });
    return rolloutSpecFrom(written, { ...TARGET, overrides }).margins.pairedErrors;
  };
  t.same(marginOf(0.01), { ratio: 1, absolute: 0.01 });
  t.same(marginOf({ absolute: 0.01 }), { ratio: 2, absolute: 0.01 });
  t.same(marginOf({ ratio: 3 }, { margins: { pairedErrors: 0.01 } }), { ratio: 3, absolute: 0.01 });
  t.throws(() => marginOf({ ratio: 0.5 }), { message: /ratio: expected a number from 1 to 100/ });
  t.throws(() => marginOf('few'), { message: /expected a rate from 0.0001 to 0.5, or a section/ });
  t.throws(() => marginOf(0.9), { message: /pairedErrors: expected a number from 0.0001 to 0.5/ });
  t.end();
});

t.test('a request goes before the file, margins and budgets part by part', (t) => {
  const spec = rolloutSpecFrom(
    {
      intent: 'improve',
      margins: { errors: { ratio: 3 }, labelledLoss: 0.05 },
      errorBudget: { falseRollback: 0.01 },
      maxDuration: 1_000_000,
      minRequests: 7,
      minDuration: 5_000,
    },
    {
      ...TARGET,
      overrides: { margins: { errors: { absolute: 0.01 } }, errorBudget: { falsePromotion: 0.1 } },
    },
  );
  t.same(spec.margins.errors, { ratio: 3, absolute: 0.01 });
  t.equal(spec.margins.labelledLoss, 0.05);
  t.same(spec.errorBudget, { falseRollback: 0.01, falsePromotion: 0.1 });
  t.match(spec, {
    intent: 'improve',
    maxDurationMs: 1_000_000,
    minRequests: 7,
    minDurationMs: 5_000,
  });
  t.end();
});

t.test('a request is read in the notation of the file', (t) => {
  t.same(
    parseRolloutRequest({
      candidate: '3',
      maxDuration: '90m',
      steps: [
        { setMirror: { percentage: 100 } },
        { analysis: { metrics: ['disagreement'] } },
        'promote',
      ],
    }),
    {
      candidate: '3',
      overrides: {
        maxDuration: 5_400_000,
        steps: [
          { kind: 'setMirror', percentage: 100, twin: 0 },
          { kind: 'analysis', require: ['disagreement'], reject: [] },
          { kind: 'promote' },
        ],
      },
    },
  );
  t.end();
});

t.test('a wrong request is refused with all that is wrong', (t) => {
  const refused = (body: unknown, message: string) =>
    t.throws(() => parseRolloutRequest(body), {
      name: 'ServeError',
      code: 'invalid_input',
      message,
    });
  refused(undefined, 'the body: expected a JSON object, found nothing');
  refused([], 'the body: expected a JSON object, found a list');
  refused(
    { candidat: '2', intent: 'better' },
    'candidate: expected a version: a folder name in quotes, or a whole number, found nothing; ' +
      'intent: expected equivalent or improve, found "better"; ' +
      'candidat: unknown key "candidat". Did you mean "candidate"?',
  );
  t.end();
});

t.test('what a model cannot try is refused', (t) => {
  t.throws(() => rolloutSpecFrom({ slices: [{ garment: 'upper' }] }, TARGET), {
    code: 'invalid_input',
    message:
      'slices.0.garment: expected an attribute that the model declares (tone), found "garment"',
  });
  t.throws(() => rolloutSpecFrom({}, { ...TARGET, candidate: '1' }), {
    code: 'invalid_input',
    message: 'candidate: expected another version than stable, found "1"',
  });
  t.end();
});

t.test('steps that could never prove the claim are refused before the first request', (t) => {
  const mirror = (twin: number) => ({ kind: 'setMirror', percentage: 100, twin }) as const;
  const proving = (...metrics: readonly MetricName[]): Step => ({
    kind: 'analysis',
    require: metrics,
    reject: [],
  });
  const promote = { kind: 'promote' } as const;
  const start = (written: RolloutSection) => () => rolloutSpecFrom(written, TARGET);
  t.throws(start({ steps: [mirror(0), proving('disagreement'), mirror(20), promote] }), {
    code: 'invalid_input',
    message: /^steps.1: expected a setMirror with twin above 0 before an analysis of disagreement/,
  });
  t.doesNotThrow(start({ steps: [mirror(20), proving('disagreement'), promote] }));
  const live = [mirror(0), proving('pairedErrors', 'disagreement'), promote];
  const expectedDisagreement = { rate: 0.08, digest: 'a'.repeat(64) };
  t.throws(start({ intent: 'improve', steps: live }), {
    code: 'invalid_input',
    message: /^steps: expected an analysis of labelledLoss, or of disagreement beside/,
  });
  t.doesNotThrow(start({ intent: 'improve', expectedDisagreement, steps: live }));
  t.throws(
    start({ intent: 'improve', expectedDisagreement, steps: [mirror(0), proving('pairedErrors')] }),
    { code: 'invalid_input', message: /labelledLoss/ },
  );
  t.end();
});

t.test('a request sets the share of the anchor before the file', (t) => {
  const share = (written: RolloutSection, asked: object) => {
    const { overrides } = parseRolloutRequest({ candidate: '2', ...asked });
    return rolloutSpecFrom(written, { ...TARGET, overrides }).anchorShare;
  };
  t.equal(share({ anchor: { share: 20 } }, {}), 20);
  t.equal(share({ anchor: { share: 20 } }, { anchor: { share: 0 } }), 0);
  t.throws(() => share({}, { anchor: { share: 101 } }), {
    message: /anchor.share: expected percent/,
  });
  t.end();
});

t.test('better is claimed of what labels have to prove', (t) => {
  const claimed = { ...TARGET, overrides: { claim: 'superior' as const } };
  t.equal(rolloutSpecFrom({ intent: 'improve' }, claimed).claim, 'superior');
  t.throws(() => rolloutSpecFrom({ intent: 'equivalent' }, claimed), {
    code: 'invalid_input',
    message: /claim: expected an analysis of labelledLoss beside claim: superior, found none/,
  });
  t.throws(() => parseRolloutRequest({ candidate: '2', claim: 'better' }), {
    message: /claim: expected noWorse or superior, found "better"/,
  });
  t.end();
});

t.test('a share of up to half has a control, and live metrics are judged with one only', (t) => {
  const parsed = (weight: object, metrics = ['slowRequests']) =>
    parseRolloutRequest({
      candidate: '2',
      steps: [{ setWeight: weight }, { analysis: { metrics } }, 'promote'],
    }).overrides.steps?.[0];
  t.match(parsed({ percent: 5 }), { control: true });
  t.match(parsed({ percent: 50 }), { control: true });
  for (const metric of ['errors', 'slowRequests']) {
    t.throws(() => parsed({ percent: 5, control: false }, [metric]), {
      message: new RegExp(
        `steps.1: expected control: true at 5 percent before an analysis of ${metric}, found control: false`,
      ),
    });
  }
  t.throws(() => parsed({ percent: 75 }), {
    message: /steps.1: expected a setWeight of at most 50 percent before an analysis of slowReq/,
  });
  t.end();
});

t.test('a rollout that cannot be through within its time is refused', (t) => {
  t.throws(() => rolloutSpecFrom({ maxDuration: 360_000 }, TARGET), {
    code: 'invalid_input',
    message:
      'maxDuration: expected more than 6 min, which setWeight (minDuration 2 min each) and pause take at least, found 6 min',
  });
  t.doesNotThrow(() => rolloutSpecFrom({ maxDuration: 360_001 }, TARGET));
  t.doesNotThrow(() => rolloutSpecFrom({ maxDuration: 360_000, minDuration: 1_000 }, TARGET));
  t.end();
});

t.test(
  'the length of a block is a duration in a request and milliseconds in a specification',
  (t) => {
    const { overrides } = parseRolloutRequest({
      candidate: '2',
      margins: { slowRequests: { block: '2s' }, pairedLatency: { ratio: 3, block: '500ms' } },
    });
    const { margins } = rolloutSpecFrom({}, { ...TARGET, overrides });
    t.equal(margins.slowRequests.blockMs, 2_000);
    t.same(margins.pairedLatency, { ratio: 3, floorMs: 0.1, blockMs: 500 });
    const short = { candidate: '2', margins: { slowRequests: { block: '10ms' } } };
    t.throws(() => parseRolloutRequest(short), { message: /expected a duration from 50ms to 1h/ });
    t.end();
  },
);

t.test('a promotion may hold a part of the traffic back, for a time', (t) => {
  const ask = (holdback: unknown) => {
    const before = [
      { setMirror: { percentage: 100, twin: 100 } },
      { analysis: { metrics: ['disagreement'] } },
    ];
    const steps = [...before, { promote: { holdback } }];
    return parseRolloutRequest({ candidate: '2', steps }).overrides.steps?.at(-1);
  };
  const holdback = { percent: 5, durationMs: 6 * 3_600_000 };
  t.same(ask({ percent: 5, for: '6h' }), { kind: 'promote', holdback });
  t.same(ask(undefined), { kind: 'promote' });
  t.throws(() => ask({ percent: 0, for: '6h' }), /percent above 0 and at most 50/);
  t.throws(() => ask({ percent: 51, for: '6h' }), /percent above 0 and at most 50/);
  t.throws(() => ask({ percent: 5 }), /holdback\.for: expected a duration/);
  t.throws(() => ask({ percent: 5, for: '91d' }), /expected a duration of at most 90d/);
  t.end();
});

t.test('there is no maximum of samples unless one is set', (t) => {
  t.notOk('maxSamples' in rolloutSpecFrom({}, TARGET));
  t.equal(rolloutSpecFrom({ maxSamples: 10_000 }, TARGET).maxSamples, 10_000);
  t.throws(() => parseRolloutRequest({ candidate: '2', maxSamples: 10 }), {
    message: /maxSamples: expected .*100/,
  });
  t.end();
});
