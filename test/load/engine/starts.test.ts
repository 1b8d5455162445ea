import fc from 'fast-check';
import t from 'tap';
import { seededRandom } from '../../../src/core/random.ts';
import { startsOf } from '../../../src/load/engine/starts.ts';
import {
  type Arrivals,
  constant,
  poisson,
  type Rate,
  type ScheduledArrivals,
  type Spacing,
} from '../../../src/load/nouns/arrivals.ts';

function drawStarts(arrivals: Arrivals, durationMs: number, seed = 1): number[] {
  const next = startsOf(arrivals as ScheduledArrivals, durationMs, seededRandom(seed));
  const starts: number[] = [];
  for (let at = next(); at !== undefined; at = next()) starts.push(at);
  return starts;
}

function open(rate: Rate, spacing: Spacing): Arrivals {
  return { kind: 'open', rate, spacing };
}

const STEPS: Rate = {
  kind: 'steps',
  steps: [
    { perSecond: 50, forMs: 1_000 },
    { perSecond: 0, forMs: 500 },
    { perSecond: 200, forMs: 100 },
  ],
};

const perSecond = fc.double({ min: 1, max: 5_000, noNaN: true });
const rates: fc.Arbitrary<Rate> = fc.oneof(
  perSecond.map((rate): Rate => ({ kind: 'steady', perSecond: rate })),
  fc
    .tuple(perSecond, perSecond)
    .map(([from, to]): Rate => ({ kind: 'ramp', fromPerSecond: from, toPerSecond: to })),
  fc
    .array(fc.record({ perSecond, forMs: fc.double({ min: 10, max: 2_000, noNaN: true }) }), {
      minLength: 1,
      maxLength: 5,
    })
    .map((steps): Rate => ({ kind: 'steps', steps })),
);

/** How many requests a rate means, over a load of so long: an integral. */
function requestsIn(rate: Rate, durationMs: number): number {
  if (rate.kind === 'steady') return (rate.perSecond * durationMs) / 1000;
  if (rate.kind === 'ramp') return ((rate.fromPerSecond + rate.toPerSecond) * durationMs) / 2000;
  let [requests, leftMs] = [0, durationMs];
  for (const [place, step] of rate.steps.entries()) {
    const forMs = place === rate.steps.length - 1 ? leftMs : Math.min(leftMs, step.forMs);
    requests += (step.perSecond * forMs) / 1000;
    leftMs -= forMs;
  }
  return requests;
}

t.test('evenly spaced requests are as many as the integral of their rate, in order', async () => {
  const durations = fc.double({ min: 100, max: 3_000, noNaN: true });
  fc.assert(
    fc.property(rates, durations, (rate, durationMs) => {
      const starts = drawStarts(open(rate, { kind: 'constant' }), durationMs);
      const inOrder = starts.every(
        (ms, place) => ms >= (starts[place - 1] ?? 0) && ms < durationMs,
      );
      return inOrder && Math.abs(starts.length - requestsIn(rate, durationMs)) <= 0.51;
    }),
  );
});

t.test('random requests are as many on average as the integral of their rate', async (t) => {
  const ramp: Rate = { kind: 'ramp', fromPerSecond: 0, toPerSecond: 400 };
  for (const rate of [{ kind: 'steady', perSecond: 100 } as const, ramp, STEPS]) {
    for (const spacing of [{ kind: 'poisson' }, { kind: 'bursty', shape: 0.5 }] as const) {
      const expected = requestsIn(rate, 2_000);
      const loads = 400;
      let total = 0;
      for (let seed = 0; seed < loads; seed += 1)
        total += drawStarts(open(rate, spacing), 2_000, seed).length;
      // Renewal theory: the variance of a count is about (mean count) / shape, and a burst in the beginning adds
      // (1 / shape - 1) / 2. Five standard errors.
      const shape = spacing.kind === 'bursty' ? spacing.shape : 1;
      const mean = expected + (1 / shape - 1) / 2;
      const error = Math.sqrt(expected / shape / loads);
      t.ok(
        Math.abs(total / loads - mean) < 5 * error,
        `${rate.kind}, ${spacing.kind}: ${total / loads} requests, expected ${mean}`,
      );
    }
  }
});

t.test('a step holds its own share, and a pause none', async (t) => {
  const starts = drawStarts(open(STEPS, { kind: 'poisson' }), 3_000);
  const between = (from: number, to: number): number =>
    starts.filter((ms) => ms >= from && ms < to).length;
  t.equal(between(1_000, 1_500), 0);
  t.ok(Math.abs(between(0, 1_000) - 50) < 5 * Math.sqrt(50));
  t.ok(Math.abs(between(1_500, 3_000) - 300) < 5 * Math.sqrt(300), 'the last step continues');
});

// Kolmogorov and Smirnov's distance to a distribution; above 1.95 / sqrt(n) the chance is one in a thousand. The seed is
// fixed: it does not depend on luck.
t.test('gaps have the distribution that they should have', async (t) => {
  const count = 20_000;
  const distance = (arrivals: Arrivals, below: (gap: number) => number): number => {
    const starts = drawStarts(arrivals, count, 11);
    const gaps = starts.map((ms, place) => ms - (starts[place - 1] ?? 0)).sort((a, b) => a - b);
    const n = gaps.length;
    const off = gaps.map((gap, place) =>
      Math.max(Math.abs(below(gap) - place / n), Math.abs(below(gap) - (place + 1) / n)),
    );
    return Math.max(...off) * Math.sqrt(n);
  };
  const exponential = (gap: number): number => 1 - Math.exp(-gap);
  t.ok(distance(poisson(1_000), exponential) < 1.95, 'exponential');
  const bursty = (shape: number): Arrivals =>
    open({ kind: 'steady', perSecond: 1_000 }, { kind: 'bursty', shape });
  t.ok(distance(bursty(1), exponential) < 1.95, 'gamma of shape 1 is exponential');
  // Erlang: the sum of two exponential gaps of half the mean.
  t.ok(distance(bursty(2), (gap) => 1 - Math.exp(-2 * gap) * (1 + 2 * gap)) < 1.95, 'shape 2');
  t.ok(distance(bursty(0.25), exponential) > 20, 'burstier is something else');
  // Of shape 1/2: a squared normal variable, P(X < x) = erf(sqrt(x / 2)); Abramowitz and Stegun 7.1.26 is good to 1.5e-7.
  t.ok(distance(bursty(0.5), (gap) => erf(Math.sqrt(gap / 2))) < 1.95, 'shape 1/2');
});

function erf(x: number): number {
  const u = 1 / (1 + 0.3275911 * x);
  const series =
    u *
    (0.254829592 + u * (-0.284496736 + u * (1.421413741 + u * (-1.453152027 + u * 1.061405429))));
  return 1 - series * Math.exp(-x * x);
}

t.test('the same seed has the same starts, another one has others', async (t) => {
  const arrivals = open(STEPS, { kind: 'bursty', shape: 0.3 });
  t.same(drawStarts(arrivals, 3_000, 5), drawStarts(arrivals, 3_000, 5));
  t.strictNotSame(drawStarts(arrivals, 3_000, 5), drawStarts(arrivals, 3_000, 6));
});

t.test('recorded starts are played as they were, until the load is over', async (t) => {
  t.same(drawStarts({ kind: 'recorded', atMs: [0, 1.5, 1.5, 9, 10, 11] }, 10), [0, 1.5, 1.5, 9]);
  t.same(drawStarts(constant(1_000), 3), [0.5, 1.5, 2.5]);
});

t.test('arrivals that make no sense are refused', async (t) => {
  const refuse = (arrivals: Arrivals, message: RegExp) =>
    t.throws(() => drawStarts(arrivals, 100), message);
  refuse(poisson(0), /expected a rate above 0 requests per second, found none/);
  refuse(poisson(-1), /expected a rate of 0 or more requests per second, found -1/);
  refuse(constant(Number.POSITIVE_INFINITY), /found Infinity/);
  refuse(constant(Number.NaN), /found NaN/);
  refuse(open({ kind: 'steps', steps: [] }, { kind: 'poisson' }), /found none/);
  refuse(
    open({ kind: 'steps', steps: [{ perSecond: 1, forMs: 0 }] }, { kind: 'poisson' }),
    /expected a step longer than 0 ms, found 0/,
  );
  refuse(
    open({ kind: 'ramp', fromPerSecond: 1, toPerSecond: -1 }, { kind: 'poisson' }),
    /found -1/,
  );
  refuse(
    open({ kind: 'steady', perSecond: 1 }, { kind: 'bursty', shape: 0 }),
    /expected a shape of bursty arrivals above 0, found 0/,
  );
  refuse({ kind: 'recorded', atMs: [2, 1] }, /do not decrease from 0, found 1 ms after 2 ms/);
});
