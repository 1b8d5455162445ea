import fc from 'fast-check';
import t from 'tap';
import { runSteps } from '../../src/concurrency/time-slicer.ts';
import { type Evidence, NO_EVIDENCE } from '../../src/core/evidence.ts';
import type { MetricDetail } from '../../src/core/metric-detail.ts';
import { pairedErrorsClaim, type RolloutSpec } from '../../src/core/rollout.ts';
import type { MetricStatus } from '../../src/core/verdict.ts';
import { decide } from '../../src/decide/decide.ts';
import { metricDetail } from '../../src/decide/metric-detail.ts';
import { metricLabel } from '../../src/decide/metric-plans.ts';
import {
  anExposure,
  aSpec,
  blocks,
  differences,
  failedPairs,
  goodEvidence,
  repeated,
} from './builders.ts';

type Shown = Readonly<Record<string, MetricDetail & { readonly status: MetricStatus }>>;

function detailsOf(evidence: Evidence, spec: RolloutSpec = aSpec()): Shown {
  const { metrics } = decide({ evidence, spec, require: [] });
  return Object.fromEntries(
    metrics.map((status) => [
      metricLabel(status),
      { ...runSteps(metricDetail({ evidence, spec, status })), status },
    ]),
  );
}

t.test('a margin is proven exactly where the verdict says so', async (t) => {
  const evidence = goodEvidence();
  const shown = detailsOf(evidence);
  for (const name of ['disagreement', 'labelledLoss'] as const) {
    const margin = shown[name]?.proven?.margin;
    if (typeof margin !== 'number') throw new Error(`${name} has no margin`);
    const findingAt = (own: number): string | undefined => {
      const spec = aSpec({ margins: { ...aSpec().margins, [name]: own } });
      return detailsOf(evidence, spec)[name]?.status.finding;
    };
    t.equal(findingAt(margin), 'nonInferior', name);
    t.not(findingAt(margin - 0.0001), 'nonInferior', name);
    t.equal(shown[name]?.proven?.ofMargin, margin / aSpec().margins[name]);
  }
});

t.test(
  'of failed pairs both parts of the margin are scaled, and the difference has an interval',
  async (t) => {
    const evidence = goodEvidence({
      pairedFailures: failedPairs([0, 0, 9_900], [1, 0, 60], [0, 1, 40]),
    });
    const { pairedErrors } = detailsOf(evidence);
    const margin = pairedErrors?.proven?.margin;
    if (margin === undefined || typeof margin === 'number') throw new Error('no claim');
    const own = pairedErrorsClaim(aSpec().margins);
    const at = pairedErrors?.proven?.ofMargin ?? 0;
    t.ok(Math.abs(margin.ratio / own.ratio - at) < 1e-9);
    t.ok(Math.abs(margin.absolute / own.absolute - at) < 1e-9);
    const findingAt = (times: number): string | undefined => {
      const scaled = { ratio: times * margin.ratio, absolute: times * margin.absolute };
      const spec = aSpec({ margins: { ...aSpec().margins, pairedErrors: scaled } });
      return detailsOf(evidence, spec)['pairedErrors']?.status.finding;
    };
    t.equal(findingAt(1), 'nonInferior');
    t.not(findingAt(0.99), 'nonInferior');
    const { lower = 1, estimate = 0, upper = -1 } = pairedErrors?.effect ?? {};
    t.ok(Math.abs(estimate - 0.002) < 1e-9);
    t.ok(lower < estimate && estimate < upper && upper - lower < 0.02, `${lower} to ${upper}`);
  },
);

t.test('of a live claim ratio and absolute rate are scaled alike', async (t) => {
  const units = { units: 20_000 };
  const evidence = goodEvidence({ live: { '2500:2500': anExposure(units, units) } });
  const { errors } = detailsOf(evidence);
  const margin = errors?.proven?.margin;
  if (margin === undefined || typeof margin === 'number') throw new Error('no claim');
  const own = aSpec().margins.errors;
  const at = errors?.proven?.ofMargin ?? 0;
  t.ok(at > 0 && at < 0.2, `${at} of the margin`);
  t.ok(Math.abs(margin.ratio / own.ratio - at) < 1e-9);
  t.ok(Math.abs(margin.absolute / own.absolute - at) < 1e-9);
  const spec = aSpec({ margins: { ...aSpec().margins, errors: margin } });
  t.equal(detailsOf(evidence, spec)['errors']?.status.finding, 'nonInferior');
});

t.test('what is proven of a live claim is proven of every wider one', async () => {
  const counts = fc.record({
    units: fc.integer({ min: 500, max: 20_000 }),
    mine: fc.integer({ min: 0, max: 60 }),
    other: fc.integer({ min: 0, max: 60 }),
  });
  fc.assert(
    fc.property(
      counts,
      fc.double({ min: 1, max: 30, noNaN: true }),
      ({ units, mine, other }, by) => {
        const live = {
          '1000:3000': anExposure({ units, errors: mine }, { units: 3 * units, errors: other }),
        };
        const evidence = goodEvidence({ live });
        const margin = detailsOf(evidence)['errors']?.proven?.margin;
        if (margin === undefined || typeof margin === 'number') return true;
        const wider = { ratio: margin.ratio * by, absolute: Math.min(0.9, margin.absolute * by) };
        const spec = aSpec({ margins: { ...aSpec().margins, errors: wider } });
        return detailsOf(evidence, spec)['errors']?.status.finding === 'nonInferior';
      },
    ),
    { numRuns: 25, seed: 7 },
  );
});

t.test('an effect lies within its interval, and more evidence narrows it', async (t) => {
  const width = (times: number) => {
    const evidence = goodEvidence({
      labelledLoss: differences([-1, 30 * times], [0, 940 * times], [1, 40 * times]),
    });
    const { effect } = detailsOf(evidence)['labelledLoss'] ?? {};
    if (effect === undefined) throw new Error('no effect');
    t.ok(effect.lower < effect.estimate && effect.estimate < effect.upper);
    t.equal(effect.confidence, 0.95);
    return effect.upper - effect.lower;
  };
  t.ok(width(10) < width(1) / 2);
});

t.test('each estimate has its limit in the same units', async (t) => {
  const live = { '2500:2500': anExposure({ errors: 20, slow: 100 }, { errors: 20, slow: 100 }) };
  const shown = detailsOf(goodEvidence({ live }));
  const { margins } = aSpec();
  t.equal(shown['disagreement']?.limit, margins.disagreement);
  t.equal(shown['pairedLatency']?.limit, 0.5);
  // 1 % of the reference fail: twice that and half a percent more is 2.5 times as many.
  t.equal(shown['errors']?.limit, 2.5);
  t.match(shown['errors']?.effect, { unit: 'rateDifference', estimate: 0 });
  const improve = aSpec({ intent: 'improve', expectedDisagreement: { rate: 0.1, digest: 'd' } });
  const changed = detailsOf(
    goodEvidence({ disagreement: differences([0, 950], [1, 50]) }),
    improve,
  );
  t.ok(Math.abs((changed['disagreement']?.limit ?? 0) - 0.12) < 1e-12);
  t.ok((changed['disagreement']?.effect?.lower ?? -1) >= 0, 'no rate lies below 0');
});

t.test('without evidence there is a limit, no effect and nothing proven', async (t) => {
  for (const [label, shown] of Object.entries(detailsOf(NO_EVIDENCE))) {
    t.equal(shown.effect, undefined, label);
    t.equal(shown.proven, undefined, label);
  }
  t.equal(detailsOf(NO_EVIDENCE)['labelledLoss']?.limit, aSpec().margins.labelledLoss);
});

t.test('what can only reject proves no margin', async (t) => {
  const { pairedLatency } = detailsOf(goodEvidence());
  t.equal(pairedLatency?.proven, undefined);
  t.match(pairedLatency?.effect, {
    unit: 'slowerShare',
    estimate: pairedLatency?.status.estimate,
  });
});

t.test('the share of slower pairs is one of pairs, with an interval by blocks', async (t) => {
  // A fifth of the pairs slower: in each block, and in runs of many blocks that all are.
  const steady = goodEvidence({ latencyBlocks: blocks(repeated(100, [40, 8] as const), 10_000) });
  const runs = Array.from({ length: 100 }, (_, at) => [40, at % 25 < 5 ? 40 : 0] as const);
  const inRuns = goodEvidence({ latencyBlocks: blocks(runs, 10_000) });
  const effects = [steady, inRuns].map((evidence) => detailsOf(evidence)['pairedLatency']?.effect);
  for (const effect of effects) {
    if (effect === undefined) throw new Error('no effect');
    t.equal(effect.estimate, 0.2);
    t.ok(effect.lower < 0.2 && effect.upper > 0.2, `${effect.lower} to ${effect.upper}`);
  }
  const [narrow = 0, wide = 0] = effects.map(
    (effect) => (effect?.upper ?? 0) - (effect?.lower ?? 0),
  );
  t.ok(wide > 1.5 * narrow, 'what comes in runs is known less well');
  t.ok(narrow < 0.3, `${narrow}`);
});

t.test('labels of live answers have an effect, also where they can only reject', async (t) => {
  const steps: RolloutSpec['steps'] = [
    { kind: 'setWeight', percent: 50, control: false },
    { kind: 'analysis', require: ['errors'], reject: ['liveLoss'] },
    { kind: 'promote' },
  ];
  const labels = { windowMs: 60_000, selection: 'arrival' } as const;
  const measured = differences([-1, 20], [0, 900], [1, 40]);
  const liveLoss = { differences: measured, places: {}, countedUntilMs: 0, units: {} };
  const { liveLoss: shown } = detailsOf(
    goodEvidence({ liveLoss }),
    aSpec({ steps, labels, rules: 2 }),
  );
  const { effect } = shown ?? {};
  t.match(effect, { unit: 'meanDifference', limit: aSpec().margins.labelledLoss });
  const { lower = 1, estimate = 0, upper = 0 } = effect ?? {};
  t.ok(Math.abs(estimate - 20 / 960) < 0.001);
  t.ok(lower < estimate && estimate < upper && upper - lower < 0.2, `${lower} to ${upper}`);
  t.equal(shown?.proven, undefined);
});
