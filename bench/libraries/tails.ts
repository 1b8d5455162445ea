import { logRegularisedBeta } from '../../src/stats/beta.ts';
import { logGammaQ } from '../../src/stats/gamma.ts';
import { type Block, type Comparison, processorTimes } from './comparison.ts';
import type { Libraries } from './installed.ts';

/** a, b, x and the logarithm of I_x(a, b), by mpmath 1.3 with 50 digits. */
const BETA = [
  [3, 400, 0.02, -0.01278894845965632],
  [50, 20, 0.3, -28.43107561507285],
  [1200, 1, 0.5, -831.7766166719344],
  [900, 2500, 0.05, -863.7231121545473],
  [2000, 2000, 0.4, -85.10648667427515],
  [5000, 20, 0.9, -447.9922324346429],
] as const;

/** a, x and the logarithm of Q(a, x), likewise. */
const GAMMA = [
  [2, 30, -26.56601279551485],
  [10, 60, -35.79351359647913],
  [50, 200, -84.6692656620035],
  [1, 800, -800],
  [100, 1500, -1135.057158566831],
  [1000, 3000, -906.4545069900745],
  [0.5, 20, -22.09383308421964],
  [400, 460, -6.215249432927832],
] as const;

const TIMES = 20_000;

type Tail = { readonly found: () => number; readonly log: number };

/** Tails of the beta and the gamma distribution as logarithms: their time, and how many of them are right. */
export async function compareTails({
  betainc,
  gammainc,
  jstat,
}: Libraries): Promise<readonly Comparison[]> {
  const beta = (tail: (x: number, a: number, b: number) => number) =>
    BETA.map(([a, b, x, log]): Tail => ({ log, found: () => tail(x, a, b) }));
  const gamma = (tail: (x: number, a: number) => number) =>
    GAMMA.map(([a, x, log]): Tail => ({ log, found: () => tail(x, a) }));
  return [
    await row('log of the incomplete beta function', {
      handWritten: beta((x, a, b) => logRegularisedBeta(a, b, x)),
      stdlib: beta((x, a, b) => Math.log(betainc(x, a, b))),
      jstat: beta((x, a, b) => Math.log(jstat.ibeta(x, a, b))),
    }),
    await row('log of the upper incomplete gamma function', {
      handWritten: gamma((x, a) => logGammaQ(a, x)),
      stdlib: gamma((x, a) => Math.log(gammainc(x, a, true, true))),
      jstat: gamma((x, a) => Math.log(1 - jstat.lowRegGamma(a, x))),
    }),
  ];
}

async function row(
  operation: string,
  tails: Readonly<Record<'handWritten' | 'stdlib' | 'jstat', readonly Tail[]>>,
): Promise<Comparison> {
  const { handWritten, stdlib, jstat } = tails;
  const us = await processorTimes(
    { handWritten: timed(handWritten), stdlib: timed(stdlib), jstat: timed(jstat) },
    TIMES,
  );
  return {
    operation: `${operation}, ${handWritten.length} tails down to e^${Math.min(...handWritten.map(({ log }) => Math.round(log)))}`,
    handWritten: `${us.handWritten}, ${rightOf(handWritten)}`,
    library: `\`@stdlib\` 0.2 and 0.3: ${us.stdlib}, ${rightOf(stdlib)}; \`jstat\` 1.9: ${us.jstat}, ${rightOf(jstat)}`,
  };
}

function timed(tails: readonly Tail[]): Block {
  return (times) => {
    let sum = 0;
    for (let at = 0; at < times; at += 1) sum += tails[at % tails.length]?.found() ?? 0;
    // Without a use of the results, the compiler might drop the calls.
    if (sum > 0) throw new Error(`expected logarithms of probabilities, found a sum of ${sum}`);
    return undefined;
  };
}

/** Right: the logarithm is off by less than 1e-9 of itself. */
function rightOf(tails: readonly Tail[]): string {
  const errors = tails.map(({ found, log }) => Math.abs(found() / log - 1));
  const right = errors.filter((error) => error < 1e-9);
  return `${right.length} of ${tails.length} right`;
}
