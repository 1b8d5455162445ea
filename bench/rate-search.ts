import type { LoadReport } from '../src/load/nouns/load-report.ts';

export type RateSearch = {
  /** Loads with so many requests per second. `probe` counts from 0. */
  readonly measure: (perSecond: number, probe: number) => Promise<LoadReport>;
  /** True if a report is good enough. */
  readonly meets: (report: LoadReport) => boolean;
  readonly print: (line: string) => void;
};

const FIRST_PER_SECOND = 100;
const PER_SECOND_MAX = 100_000;
/** Halvings of the gap between the highest rate that was good and the lowest that was not: to 6 % of the latter. */
const HALVINGS = 3;

/**
 * The highest rate that is good enough: doubled until it is not, then halved in. The lowest rate must be good.
 * Throws an Error where even that is not.
 */
export async function findHighestRate({ measure, meets, print }: RateSearch): Promise<number> {
  let probes = 0;
  const isGood = async (perSecond: number): Promise<boolean> => {
    const report = await measure(perSecond, probes);
    probes += 1;
    const good = meets(report);
    const p99 = report.measured.latency.p99Ms.toFixed(2);
    print(`${Math.round(perSecond)} per second: p99 ${p99} ms, ${good ? 'good' : 'too slow'}`);
    return good;
  };
  let good = 0;
  let bad = FIRST_PER_SECOND;
  while (bad < PER_SECOND_MAX && (await isGood(bad))) {
    good = bad;
    bad *= 2;
  }
  if (good === 0) throw new Error(`not even ${FIRST_PER_SECOND} requests per second are good`);
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const middle = (good + bad) / 2;
    if (await isGood(middle)) good = middle;
    else bad = middle;
  }
  return good;
}
