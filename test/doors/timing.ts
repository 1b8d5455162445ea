import { systemClock } from '../../src/core/clock.ts';
import type { Headers } from './strangers.ts';
import { callerOf, type Target } from './target.ts';

const ROUNDS = 300;

/** What a difference must reach to be one: far beyond what a comparison byte by byte, or a look into a table, takes. */
const MS_MAX = 0.25;

/**
 * Two refusals that must not differ: the median of their differences, in turn, on one connection. A key's secret is compared
 * without regard to where it differs, and what there is takes no longer than what there is not.
 */
export async function compareTimes(target: Target): Promise<readonly string[]> {
  const { admin, infer } = target.place.keys;
  const wrongAt = (at: number): string =>
    `${admin.slice(0, at)}${admin[at] === 'a' ? 'b' : 'a'}${admin.slice(at + 1)}`;
  const key = (text: string): Headers => [['x-api-key', text]];
  const pairs: Readonly<Record<string, readonly [Ask, Ask]>> = {
    'a key that is wrong at its start or at its end': [
      { path: '/v2', headers: key(wrongAt(21)) },
      { path: '/v2', headers: key(wrongAt(admin.length - 8)) },
    ],
    'a key whose id there is, or is not': [
      { path: '/v2', headers: key(wrongAt(30)) },
      { path: '/v2', headers: key(wrongAt(12)) },
    ],
    'a model that there is, or is not, for a caller without rights': [
      { path: '/api/v1/models/fashion/route', headers: key(infer), isAdmin: true },
      { path: '/api/v1/models/fashiom/route', headers: key(infer), isAdmin: true },
    ],
  };
  const callers = { data: callerOf(target, 'http'), admin: callerOf(target, 'admin') };
  const took = async ({ path, headers, isAdmin = false }: Ask): Promise<number> => {
    const startMs = systemClock.monotonicMs();
    await callers[isAdmin ? 'admin' : 'data'].send({ method: 'GET', path, headers });
    return systemClock.monotonicMs() - startMs;
  };
  const faults: string[] = [];
  for (const [what, [one, other]] of Object.entries(pairs)) {
    const differences: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const [first, second] = round % 2 === 0 ? [one, other] : [other, one];
      const [a, b] = [await took(first), await took(second)];
      differences.push(round % 2 === 0 ? a - b : b - a);
    }
    const median = differences.sort((a, b) => a - b)[ROUNDS / 2] ?? Number.NaN;
    if (!(Math.abs(median) <= MS_MAX)) faults.push(`${what}: ${median} ms apart`);
  }
  callers.data.close();
  callers.admin.close();
  return faults;
}

type Ask = { readonly path: string; readonly headers: Headers; readonly isAdmin?: boolean };
