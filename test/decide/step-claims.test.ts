import t from 'tap';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import type { Step } from '../../src/core/rollout.ts';
import { claimedMetrics, factorOf, foldAt, stepClaims } from '../../src/decide/step-claims.ts';
import { anExposure, aSpec, sharesOf } from './builders.ts';

const FIVE = { kind: 'setWeight', percent: 5, control: true } as const;

t.test('the claim narrows as the share grows', async (t) => {
  t.same([1, 5, 5.01, 25, 25.01, 50, 99].map(foldAt), [
    10,
    10,
    5,
    5,
    undefined,
    undefined,
    undefined,
  ]);
});

t.test(
  'the claim is as wide as the share allows, and never narrower than the margin',
  async (t) => {
    const spec = aSpec();
    t.equal(factorOf(spec, 'errors', 10), 5);
    const loose = { ...spec, margins: { ...spec.margins, errors: { ratio: 20, absolute: 0.3 } } };
    t.equal(factorOf(loose, 'errors', 10), 1);
  },
);

t.test(
  'every live metric that the rollout names is asked for, where its arms are comparable',
  async (t) => {
    const steps = (reject: 'slowRequests'[]): readonly Step[] => [
      FIVE,
      { kind: 'analysis', require: ['errors'], reject },
    ];
    t.same(claimedMetrics(aSpec({ steps: steps([]) }), FIVE), ['errors']);
    const both = aSpec({ steps: steps(['slowRequests']) });
    t.same(claimedMetrics(both, FIVE), ['errors', 'slowRequests']);
    t.same(claimedMetrics(both, { ...FIVE, control: false }), []);
    t.same(claimedMetrics(both, { ...FIVE, percent: 50, control: false }), [
      'errors',
      'slowRequests',
    ]);
    const shadow = aSpec({ steps: [{ kind: 'analysis', require: ['pairedErrors'], reject: [] }] });
    t.same(claimedMetrics(shadow, FIVE), []);
  },
);

t.test('counts that cannot be are shown as nothing', async (t) => {
  const spec = aSpec();
  const live = { '500:500': anExposure({ units: Number.NaN }, {}) };
  const broken = { ...NO_EVIDENCE, live, liveErrors: sharesOf(live) };
  const claims = stepClaims({ evidence: broken, before: undefined, spec }, FIVE);
  t.equal(claims.length, 2);
  for (const claim of claims) t.match(claim, { isShown: false });
});
