import type { Random } from '../../src/core/random.ts';
import type { Answer } from './answer.ts';
import { exponential, lognormal } from './chance.ts';
import type { Nature, WorldRequest } from './world.ts';

/**
 * Requests that come without memory. Each has what `each` says of its moment; for the rest both versions are the same healthy
 * model: right, in some 5 ms.
 */
export function requests(
  random: Random,
  perSecond: number,
  each: (nowMs: number) => Partial<WorldRequest>,
): Nature {
  return {
    next: (nowMs) => {
      const gapMs = exponential(random, 1000 / perSecond);
      const { unit, attributes, content, live, shadow, label } = each(nowMs + gapMs);
      return {
        gapMs,
        unit,
        attributes,
        content,
        live: live ?? (() => healthy(random)),
        shadow: shadow ?? ((stable) => likeStable(random, stable)),
        label,
      };
    },
  };
}

/** A right answer in some 5 ms. */
export function healthy(random: Random): Answer {
  return { tookMs: lognormal(random, 5, 0.3) };
}

/** A failure in some 5 ms. */
export function failing(random: Random): Answer {
  return { tookMs: lognormal(random, 5, 0.3), failure: 'runtime_failed' };
}

/** The shadow host gives stable's answer, twice. */
export function likeStable(random: Random, stable: Answer) {
  const again = (): Answer => ({ ...stable, tookMs: lognormal(random, 4, 0.3) });
  return { candidate: again(), twin: again() };
}
