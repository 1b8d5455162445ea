import type { Rate, RateStep } from '../nouns/arrivals.ts';

/**
 * When so many requests are due: the cumulated rate turned round. Milliseconds from the start of a load of `durationMs`;
 * Infinity where the rate never gets that far. Throws a RangeError for a rate that is none.
 */
export function dueTimes(rate: Rate, durationMs: number): (requests: number) => number {
  switch (rate.kind) {
    case 'steady': {
      expectRate(rate.perSecond);
      expectSome([rate.perSecond]);
      return (requests) => (1000 * requests) / rate.perSecond;
    }
    case 'ramp':
      return dueOnRamp(rate, durationMs);
    case 'steps':
      return dueOnSteps(rate.steps);
  }
}

/** The positive root of a quadratic equation, in the form that loses no digits where the ramp is nearly flat. */
function dueOnRamp(
  { fromPerSecond: from, toPerSecond: to }: Rate & { kind: 'ramp' },
  durationMs: number,
): (requests: number) => number {
  for (const perSecond of [from, to]) expectRate(perSecond);
  expectSome([from, to]);
  return (requests) => {
    const due = 1000 * requests;
    const square = from * from + (2 * (to - from) * due) / durationMs;
    return square < 0 ? Number.POSITIVE_INFINITY : (2 * due) / (from + Math.sqrt(square));
  };
}

function dueOnSteps(steps: readonly RateStep[]): (requests: number) => number {
  for (const { perSecond, forMs } of steps) {
    expectRate(perSecond);
    if (!(forMs > 0)) throw new RangeError(`expected a step longer than 0 ms, found ${forMs}`);
  }
  expectSome(steps.map(({ perSecond }) => perSecond));
  return (requests) => {
    let left = 1000 * requests;
    let fromMs = 0;
    for (const [place, { perSecond, forMs }] of steps.entries()) {
      const isLast = place === steps.length - 1;
      if (isLast || left < perSecond * forMs)
        return perSecond === 0 ? Number.POSITIVE_INFINITY : fromMs + left / perSecond;
      left -= perSecond * forMs;
      fromMs += forMs;
    }
    return Number.POSITIVE_INFINITY;
  };
}

function expectRate(perSecond: number): void {
  if (!(perSecond >= 0 && Number.isFinite(perSecond)))
    throw new RangeError(`expected a rate of 0 or more requests per second, found ${perSecond}`);
}

function expectSome(perSecond: readonly number[]): void {
  if (!perSecond.some((rate) => rate > 0))
    throw new RangeError('expected a rate above 0 requests per second, found none');
}
