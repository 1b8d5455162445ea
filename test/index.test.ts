import t from 'tap';
import * as understudy from '../src/index.ts';

t.test('the public API is what it says, and no more', async (t) => {
  t.same(Object.keys(understudy).sort(), [
    'ConfigError',
    'METRIC_NAMES',
    'NO_EVIDENCE',
    'decide',
    'harmOfEvents',
    'harmOfHalf',
    'harmOfMean',
    'harmOfRate',
    'loadConfig',
    'logEvidence',
    'logSampleRatioMismatch',
    'safeOfEvents',
    'safeOfMean',
    'safeOfRate',
    'startApp',
  ]);
});

t.test('a verdict can be had without a gateway', async (t) => {
  const spec: understudy.RolloutSpec = {
    model: 'm',
    stable: '1',
    candidate: '2',
    intent: 'equivalent',
    slices: [],
    margins: {
      disagreement: 0.01,
      pairedErrors: 0.005,
      labelledLoss: 0.02,
      pairedLatency: { ratio: 1.25, floorMs: 0.1 },
      errors: { ratio: 2, absolute: 0.002 },
      slowRequests: { ratio: 2, quantile: 0.99, absolute: 0.02 },
    },
    errorBudget: { falseRollback: 0.05, falsePromotion: 0.05 },
    minRequests: 100,
    expectedDisagreement: undefined,
    onInconclusive: 'pause',
    maxDurationMs: 1_000,
    steps: [{ kind: 'analysis', require: ['pairedErrors'], reject: [] }],
    salt: 's',
  };
  const { NO_EVIDENCE: evidence } = understudy;
  const nothing = understudy.decide({ evidence, spec, require: ['pairedErrors'] });
  t.equal(nothing.kind, 'inconclusive');
  const failing = { down: { '1000': 50 }, up: { '1000': 50 } };
  const harmed = { ...evidence, pairedErrors: failing };
  const verdict = understudy.decide({ evidence: harmed, spec, require: ['pairedErrors'] });
  t.match(verdict, { kind: 'fail', decidedBy: ['pairedErrors'] });
});

t.test('an e-value can be had from counts', async (t) => {
  const many = understudy.logEvidence(understudy.harmOfRate(50, 1_000, 0.01));
  t.ok(many > Math.log(20), `50 events in 1,000 are more than 1 %: ${many}`);
  t.ok(understudy.logEvidence(understudy.harmOfRate(10, 1_000, 0.01)) < 0);
});
