import t from 'tap';
import { DEFAULT_MARGINS } from '../../src/config/defaults.ts';
import {
  type Expectation,
  expectedGrowth,
  grown,
  logNeeded,
  samplesUntil,
} from '../../src/decide/expected-growth.ts';
import { informationLimit } from '../../src/decide/information-limit.ts';
import { equalTruth, type Truth } from '../../src/decide/truth.ts';
import { aSpec } from './builders.ts';

const { salt: _, ...SPEC } = aSpec({ margins: DEFAULT_MARGINS });
const SOUND = equalTruth(SPEC, {
  errorRate: 0,
  disagreementRate: 0,
  discordantRate: 0.1,
  wrongRate: 0.1,
});

/** Five metrics share the budget of false rollbacks, as in the default steps. */
const WEIGHT = 1 / 5;

function expectation(
  metric: Expectation['metric'],
  side: Expectation['side'],
  truth: Partial<Truth> = {},
): Expectation {
  return { metric, side, spec: SPEC, truth: { ...SOUND, ...truth }, odds: 0.5 };
}

function expected(asked: Expectation): number {
  const growth = expectedGrowth(asked);
  return growth === undefined
    ? Number.POSITIVE_INFINITY
    : samplesUntil(undefined, growth, logNeeded(asked.side, SPEC, WEIGHT));
}

const FIVEFOLD = { candidate: 0.025, reference: 0.005 };

/** Limits that were computed apart from this program, by maximising the growth of a bet and minimising the divergence. */
const LIMITS: readonly [name: string, asked: Expectation, limit: number][] = [
  ['labelledLoss, as often wrong', expectation('labelledLoss', 'safe'), 1_521],
  ['pairedErrors, none', expectation('pairedErrors', 'safe'), 1_496],
  [
    'pairedErrors, 2 % of the candidate',
    expectation('pairedErrors', 'harm', { errors: { candidate: 0.02, reference: 0 } }),
    648,
  ],
  ['pairedLatency, slower in 75 %', expectation('pairedLatency', 'harm', { slower: 0.75 }), 35],
  ['disagreement, none', expectation('disagreement', 'safe'), 298],
  [
    'disagreement, 5 % of the candidate',
    expectation('disagreement', 'harm', { disagreement: { candidate: 0.05, reference: 0 } }),
    186,
  ],
  ['errors, none', expectation('errors', 'safe'), 2_993],
  ['errors, fivefold', expectation('errors', 'harm', { errors: FIVEFOLD }), 5_567],
];

t.test('limits are those that were computed independently', async (t) => {
  for (const [name, asked, limit] of LIMITS) {
    const found = informationLimit(asked, WEIGHT);
    t.ok(Math.abs(found - limit) <= 1.5, `${name}: ${found} for ${limit}`);
  }
});

t.test('what is expected is above the limit, and not far', async (t) => {
  for (const [name, asked] of LIMITS) {
    const ratio = expected(asked) / informationLimit(asked, WEIGHT);
    t.ok(ratio >= 1 && ratio < 2, `${name}: ${ratio}`);
  }
});

t.test('both losses are expected under the bets that judge them', async (t) => {
  for (const side of ['safe', 'harm'] as const) {
    t.same(
      expectedGrowth(expectation('anchorLoss', side, { anchorLoss: SOUND.loss })),
      expectedGrowth(expectation('labelledLoss', side)),
    );
  }
});

t.test('what a metric cannot show is never expected', async (t) => {
  const never: readonly Expectation[] = [
    expectation('pairedLatency', 'safe'),
    expectation('errors', 'harm'),
    expectation('errors', 'safe', { errors: FIVEFOLD }),
    { ...expectation('errors', 'safe'), odds: 0 },
    expectation('labelledLoss', 'safe', { loss: { lost: 0.1, won: 0 } }),
  ];
  for (const asked of never) {
    t.equal(informationLimit(asked, WEIGHT), Number.POSITIVE_INFINITY, asked.metric);
    t.equal(expected(asked), Number.POSITIVE_INFINITY, asked.metric);
  }
});

t.test('what was gathered counts, bet by bet', async (t) => {
  const growth = expectedGrowth(expectation('errors', 'safe'));
  if (growth === undefined) throw new Error('expected bets, found none');
  const needed = logNeeded('safe', SPEC, WEIGHT);
  const all = samplesUntil(undefined, growth, needed);
  const half = grown(undefined, growth, all / 2);
  t.ok(Math.abs(samplesUntil(half, growth, needed) - all / 2) < 1e-3 * all);
  t.equal(samplesUntil(grown(undefined, growth, 2 * all), growth, needed), 0);
});
