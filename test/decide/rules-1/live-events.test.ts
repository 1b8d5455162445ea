import t from 'tap';
import type { Evidence } from '../../../src/core/evidence.ts';
import { type Random, seededRandom } from '../../../src/core/random.ts';
import type { MetricStatus } from '../../../src/core/verdict.ts';
import { decide } from '../../../src/decide/decide.ts';
import type { Judgement } from '../../../src/decide/judgement.ts';
import { judgeLiveEvents } from '../../../src/decide/rules-1/live-events.ts';
import { logEvidence } from '../../../src/stats/mixture.ts';
import { anExposure, aSpec, goodEvidence } from '../builders.ts';

const RULE = { event: 'errors', ratio: 2, absolute: 0.005, evenOnly: false } as const;
const NEEDED = Math.log(20);

/** Both arms at equal weight, 50 units of each between looks; true if some look crosses. */
function everCrosses(
  rates: { candidate: number; reference: number },
  crosses: (judgement: Judgement) => boolean,
  random: Random,
): boolean {
  const errors = { candidate: 0, reference: 0 };
  for (let units = 50; units <= 8_000; units += 50) {
    for (let unit = 0; unit < 50; unit += 1) {
      if (random.unit() < rates.candidate) errors.candidate += 1;
      if (random.unit() < rates.reference) errors.reference += 1;
    }
    const live = {
      '500:500': anExposure(
        { units, errors: errors.candidate },
        { units, errors: errors.reference },
      ),
    };
    if (crosses(judgeLiveEvents(goodEvidence({ live }), RULE))) return true;
  }
  return false;
}

function isWorse({ proof }: Judgement): boolean {
  return proof.kind === 'evidence' && proof.logHarm >= NEEDED;
}

function isSafe({ proof }: Judgement): boolean {
  return proof.kind === 'evidence' && proof.safe !== undefined && logEvidence(proof.safe) >= NEEDED;
}

// The limit is max(2 x reference, 0.5 %): once the ratio decides it, once the absolute rate.
t.test(
  'at either limit, live errors are called worse or safe no more often than stated',
  async (t) => {
    const runs = 100;
    const most = 0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs);
    for (const rates of [
      { candidate: 0.02, reference: 0.01 },
      { candidate: 0.005, reference: 0.0005 },
    ]) {
      for (const crosses of [isWorse, isSafe]) {
        const wrong = Array.from({ length: runs }, (_, run) =>
          everCrosses(rates, crosses, seededRandom(20_000 + run)),
        ).filter(Boolean).length;
        t.ok(wrong / runs <= most, `${crosses.name} at ${rates.candidate}: ${wrong} of ${runs}`);
      }
    }
  },
);

t.test(
  'within the absolute rate nothing is worse, and beyond both limits it is found',
  async (t) => {
    const rare = { candidate: 0.002, reference: 0.0001 };
    t.notOk(everCrosses(rare, isWorse, seededRandom(1)));
    t.ok(everCrosses(rare, isSafe, seededRandom(1)));
    const bad = { candidate: 0.05, reference: 0.005 };
    t.ok(everCrosses(bad, isWorse, seededRandom(1)));
    t.notOk(everCrosses(bad, isSafe, seededRandom(1)));
  },
);

// A stall of one second in ten, 100 requests a second: one event a stall, and every tenth request slow.
t.test('a candidate that stalls for all callers now and then is not proven no worse', async (t) => {
  const stalling = { requests: 15_000, units: 13_500, slow: 30, slowRequests: 1_630 };
  const steady = { requests: 15_000, units: 13_500, slow: 150, slowRequests: 170 };
  const metric = slowRequestsOf(
    { '5000:5000': anExposure(stalling, steady) },
    { ratio: 2, quantile: 0.99, absolute: 0.02 },
  );
  t.ok(metric.logSafe >= metric.logSafeNeeded, 'by merged events alone it would pass');
  t.equal(metric.finding, 'undecided');
  t.match(
    metric.missing,
    /in bursts, 10.87 % of the candidate's requests were slow, at most 2.267 %/,
  );
});

t.test('requests whose slowness could not be measured prove nothing', async (t) => {
  const early = { requests: 1_000, units: 1_000, timedUnits: 0 };
  const margins = { ratio: 2, quantile: 0.99, absolute: 0.05 };
  const unmeasured = slowRequestsOf({ '500:500': anExposure(early, early) }, margins);
  t.equal(unmeasured.finding, 'undecided');
  t.match(unmeasured.missing, /no live requests of the candidate since a threshold was known/);
  const measured = { ...early, timedUnits: 1_000 };
  const good = slowRequestsOf({ '500:500': anExposure(measured, measured) }, margins);
  t.equal(good.finding, 'nonInferior');
});

t.test('slowness is compared only where both arms had the same share', async (t) => {
  const even = slowRequestsOf({ '500:500': anExposure({}, { slow: 40 }) });
  const uneven = slowRequestsOf({ '500:9500': anExposure({}, { slow: 40 }) });
  t.equal(even.samples, 4_000);
  t.equal(uneven.samples, 0);
  t.match(uneven.missing, /no live requests of the candidate at equal shares/);
});

function slowRequestsOf(
  live: Evidence['live'],
  slowRequests = { ratio: 2, quantile: 0.95, absolute: 0.005 },
): MetricStatus {
  const margins = { ...aSpec().margins, slowRequests };
  const evidence = goodEvidence({ live });
  const { metrics } = decide({
    evidence,
    spec: aSpec({ margins, rules: 1 }),
    require: ['slowRequests'],
  });
  const found = metrics.find(({ metric }) => metric === 'slowRequests');
  if (found === undefined) throw new Error('expected slowRequests to be judged');
  return found;
}
