/**
 * Seeded simulations: how often each test is wrong when the truth is exactly at its margin and somebody looks after every
 * sample, and how many samples it needs when the truth is not. Values are grouped as evidence groups them, by counts; the
 * running sums here give the same e-values as the functions under test, which is checked at the end of each run.
 */
import t, { type Test } from 'tap';
import type { Random } from '../../src/core/random.ts';
import { seededRandom } from '../../src/core/random.ts';
import {
  harmOfHalf,
  harmOfMean,
  harmOfRate,
  safeOfMean,
  safeOfRate,
} from '../../src/stats/bets.ts';
import { harmOfEvents, safeOfEvents } from '../../src/stats/conditional-events.ts';
import { logEvidence, type Mixture } from '../../src/stats/mixture.ts';
import { logSampleRatioMismatch } from '../../src/stats/sample-ratio.ts';

const ALPHA = 0.05;
const LOG_NEEDED = Math.log(1 / ALPHA);

/** A sequential test over outcomes of a few kinds: the e-value is a function of how often each kind came. */
type Walk = {
  readonly kinds: number;
  readonly draw: (random: Random) => number;
  readonly mixture: (counts: readonly number[]) => Mixture;
  readonly looks: number;
};

/**
 * At which look the walk first crosses the threshold; undefined if it never does. Wealth multiplies, so the growth of each
 * bet per outcome is read off single outcomes once and then added up: the same sum, without going through all counts.
 */
function firstCrossing(walk: Walk, random: Random, logNeeded = LOG_NEEDED): number | undefined {
  const zero = Array.from({ length: walk.kinds }, () => 0);
  const steps = zero.map((_, kind) => walk.mixture(zero.map((_, k) => (k === kind ? 1 : 0))));
  const weights = walk.mixture(zero).map((bet) => Math.exp(bet.logWeight));
  const growth = steps.map((mixture) => mixture.map((bet) => Math.exp(bet.logWealth)));
  const wealth = weights.map(() => 1);
  const needed = Math.exp(logNeeded);
  for (let look = 1; look <= walk.looks; look += 1) {
    const factors = growth[walk.draw(random)] ?? [];
    let total = 0;
    for (let bet = 0; bet < wealth.length; bet += 1) {
      const now = (wealth[bet] ?? 0) * (factors[bet] ?? 0);
      wealth[bet] = now;
      total += (weights[bet] ?? 0) * now;
    }
    if (total >= needed) return look;
  }
  return undefined;
}

function errsRarely(t: Test, walk: Walk, options: { runs: number; seed: number; alpha?: number }) {
  const { runs, seed, alpha = ALPHA } = options;
  let wrong = 0;
  for (let run = 0; run < runs; run += 1) {
    const random = seededRandom(seed + run);
    if (firstCrossing(walk, random, Math.log(1 / alpha)) !== undefined) wrong += 1;
  }
  const most = alpha + 3 * Math.sqrt((alpha * (1 - alpha)) / runs);
  const rate = wrong / runs;
  t.ok(rate <= most, `wrong in ${rate} of ${runs} runs of ${walk.looks} looks, at most ${most}`);
}

function median(walk: Walk, options: { runs: number; seed: number }): number {
  const looks = Array.from({ length: options.runs }, (_, run) =>
    firstCrossing(walk, seededRandom(options.seed + run)),
  ).map((look) => look ?? Number.POSITIVE_INFINITY);
  return looks.sort((a, b) => a - b)[Math.floor(options.runs / 2)] ?? Number.NaN;
}

function rateWalk(truth: number, margin: number, side: 'harm' | 'safe'): Walk {
  const test = side === 'harm' ? harmOfRate : safeOfRate;
  return {
    kinds: 2,
    draw: (random) => (random.unit() < truth ? 1 : 0),
    mixture: ([misses = 0, events = 0]) => test(events, events + misses, margin),
    looks: 8_000,
  };
}

/** Differences -1, 0, 1 of two independent 0/1 outcomes. */
function pairWalk(
  rates: { readonly candidate: number; readonly stable: number },
  margin: number,
  side: 'harm' | 'safe',
): Walk {
  const test = side === 'harm' ? harmOfMean : safeOfMean;
  const claim = { lower: -1, upper: 1, margin };
  return {
    kinds: 3,
    draw: (random) =>
      1 + (random.unit() < rates.candidate ? 1 : 0) - (random.unit() < rates.stable ? 1 : 0),
    mixture: ([minus = 0, zero = 0, plus = 0]) =>
      test(
        [
          [-1, minus],
          [0, zero],
          [1, plus],
        ],
        claim,
      ),
    looks: 10_000,
  };
}

/** Bad events only: each falls on the candidate with the probability that its rate ratio and the odds give it. */
function eventWalk(trueRatio: number, ratio: number, side: 'harm' | 'safe'): Walk {
  const test = side === 'harm' ? harmOfEvents : safeOfEvents;
  const steps = [0.05, 0.25, 0.5];
  return {
    kinds: 6,
    draw: (random) => {
      const step = random.integer(3);
      const odds = steps[step] ?? 0.5;
      const candidate = random.unit() < (odds * trueRatio) / (odds * trueRatio + 1 - odds);
      return 2 * step + (candidate ? 1 : 0);
    },
    mixture: (counts) =>
      test(
        steps.map((odds, step) => ({
          odds,
          candidate: counts[2 * step + 1] ?? 0,
          reference: counts[2 * step] ?? 0,
        })),
        ratio,
      ),
    looks: 3_000,
  };
}

t.test('at the margin, rates are called worse or safe no more often than stated', (t) => {
  errsRarely(t, rateWalk(0.01, 0.01, 'harm'), { runs: 300, seed: 1_000 });
  errsRarely(t, rateWalk(0.01, 0.01, 'safe'), { runs: 300, seed: 2_000 });
  t.end();
});

t.test(
  'at the margin, paired differences are called worse or safe no more often than stated',
  (t) => {
    const rates = { candidate: 0.06, stable: 0.05 };
    errsRarely(t, pairWalk(rates, 0.01, 'harm'), { runs: 250, seed: 3_000 });
    errsRarely(t, pairWalk(rates, 0.01, 'safe'), { runs: 250, seed: 4_000 });
    t.end();
  },
);

t.test('at the margin, live events are called worse or safe no more often than stated', (t) => {
  errsRarely(t, eventWalk(2, 2, 'harm'), { runs: 1_000, seed: 5_000 });
  errsRarely(t, eventWalk(2, 2, 'safe'), { runs: 1_000, seed: 6_000 });
  t.end();
});

t.test('an honest split is called broken no more often than stated', (t) => {
  const multiples = (counts: readonly number[]): number =>
    logSampleRatioMismatch([
      { odds: 0.5, candidate: counts[1] ?? 0, reference: counts[0] ?? 0 },
      { odds: 0.05, candidate: counts[3] ?? 0, reference: counts[2] ?? 0 },
    ]);
  let wrong = 0;
  const runs = 200;
  for (let run = 0; run < runs; run += 1) {
    const random = seededRandom(7_000 + run);
    const counts = [0, 0, 0, 0];
    let crossed = false;
    for (let look = 0; look < 1_000 && !crossed; look += 1) {
      const step = random.integer(2);
      const kind = 2 * step + (random.unit() < (step === 0 ? 0.5 : 0.05) ? 1 : 0);
      counts[kind] = (counts[kind] ?? 0) + 1;
      crossed = multiples(counts) >= LOG_NEEDED;
    }
    if (crossed) wrong += 1;
  }
  const most = ALPHA + 3 * Math.sqrt((ALPHA * (1 - ALPHA)) / runs);
  t.ok(wrong / runs <= most, `wrong in ${wrong} of ${runs} runs, at most ${most}`);
  t.ok(multiples([5_000, 5_500, 0, 0]) > Math.log(1000), 'a tenth too many of 10,500 is noticed');
  t.ok(multiples([5_000, 5_050, 950, 50]) < 0, 'a sound split is not');
  t.end();
});

t.test('at one half, paired latency is called worse no more often than stated', (t) => {
  const walk: Walk = {
    kinds: 2,
    draw: (random) => random.integer(2),
    mixture: ([faster = 0, slower = 0]) => harmOfHalf(slower, slower + faster),
    looks: 5_000,
  };
  errsRarely(t, walk, { runs: 1_000, seed: 8_000 });
  t.end();
});

t.test('sample sizes are what was computed beforehand', (t) => {
  const within = (found: number, expected: number, what: string): void => {
    t.ok(Math.abs(found / expected - 1) <= 0.25, `${what}: ${found}, computed before ${expected}`);
  };
  for (const [truth, side, expected] of [
    [0.001, 'safe', 396],
    [0.002, 'safe', 692],
    [0.005, 'safe', 1_789],
    [0.02, 'harm', 878],
    [0.03, 'harm', 281],
    [0.05, 'harm', 86],
    [0.1, 'harm', 26],
  ] as const) {
    const found = median(rateWalk(truth, 0.01, side), { runs: 301, seed: 9_000 });
    within(found, expected, `rate ${truth} against 0.01, ${side}`);
  }
  t.equal(median(rateWalk(0, 0.01, 'safe'), { runs: 3, seed: 1 }), 396, 'no event at all');
  t.equal(median(rateWalk(0, 0.001, 'safe'), { runs: 3, seed: 1 }), 3_971, 'no event at all');
  for (const [candidate, stable, margin, side, expected] of [
    [0.05, 0.05, 0.02, 'safe', 1_884],
    [0.02, 0.02, 0.01, 'safe', 2_700],
    [0.1, 0.05, 0.01, 'harm', 582],
    [0.05, 0.02, 0.01, 'harm', 955],
    [0.02, 0, 0.01, 'harm', 910],
  ] as const) {
    const found = median(pairWalk({ candidate, stable }, margin, side), {
      runs: 301,
      seed: 10_000,
    });
    within(found, expected, `pairs ${candidate} against ${stable}, margin ${margin}, ${side}`);
  }
  t.end();
});

/** Requests until live errors are proven worse (ratio 1), over steps of 20,000 requests each. */
function requestsToRollback(rates: { base: number; ratio: number }, random: Random): number {
  const { base, ratio } = rates;
  const shares = [0.01, 0.05, 0.1, 0.25, 0.5, 0.5];
  const counts = shares.map((odds) => ({ odds, candidate: 0, reference: 0 }));
  let requests = 0;
  while (requests < 120_000) {
    const step = counts[Math.floor(requests / 20_000)];
    if (step === undefined) break;
    const rate = base * (1 + step.odds * (ratio - 1));
    // Requests until the next bad event; a step that ends before it draws again at its own rate.
    const gap = 1 + Math.floor(Math.log(1 - random.unit()) / Math.log1p(-rate));
    const end = 20_000 * (Math.floor(requests / 20_000) + 1);
    if (requests + gap > end) {
      requests = end;
      continue;
    }
    requests += gap;
    const onCandidate = random.unit() < (step.odds * ratio * base) / rate;
    step[onCandidate ? 'candidate' : 'reference'] += 1;
    if (logEvidence(harmOfEvents(counts, 1)) >= LOG_NEEDED) return requests;
  }
  return Number.POSITIVE_INFINITY;
}

t.test(
  'a canary that fails more often is found in the number of requests computed beforehand',
  (t) => {
    for (const [base, ratio, expected] of [
      [0.005, 20, 2_164],
      [0.005, 5, 16_140],
      [0.02, 5, 4_090],
      [0.02, 2, 26_068],
    ] as const) {
      const found = Array.from({ length: 75 }, (_, run) =>
        requestsToRollback({ base, ratio }, seededRandom(12_000 + run)),
      ).sort((a, b) => a - b)[37];
      t.ok(
        Math.abs((found ?? 0) / expected - 1) <= 0.35,
        `base ${base}, ratio ${ratio}: ${found} requests, computed before ${expected}`,
      );
    }
    t.end();
  },
);

t.test('running sums and counts give the same e-value', (t) => {
  const walk = pairWalk({ candidate: 0.1, stable: 0.05 }, 0.02, 'harm');
  const random = seededRandom(11);
  const counts = [0, 0, 0];
  let running: number[] = walk.mixture(counts).map(() => 0);
  for (let look = 0; look < 500; look += 1) {
    const kind = walk.draw(random);
    counts[kind] = (counts[kind] ?? 0) + 1;
    const step = walk.mixture([0, 1, 2].map((k) => (k === kind ? 1 : 0)));
    running = running.map((sum, bet) => sum + (step[bet]?.logWealth ?? Number.NaN));
  }
  const whole = walk.mixture(counts);
  const added = whole.map((bet, index) => ({ ...bet, logWealth: running[index] ?? Number.NaN }));
  t.ok(Math.abs(logEvidence(added) - logEvidence(whole)) < 1e-9);
  t.end();
});
