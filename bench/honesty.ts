import { type Arrivals, constant } from '../src/load/nouns/arrivals.ts';
import { measureAlarm } from './alarm-error.ts';
import { interleave, spreadOf } from './blocks.ts';
import { EchoProcess } from './echo-process.ts';
import type { Effort } from './effort.ts';
import type { Figure, Measurement, Suite } from './figure.ts';
import { HOLD_MS, measureHold } from './held-answers.ts';
import { aimOf, CONNECTIONS, load, PER_SECOND, WRK_PERIOD_MS, wrkOn } from './known-load.ts';
import { KnownProcess, STALL_SHARE } from './known-process.ts';
import type { Workplace } from './workplace.ts';
import { wrkVersion } from './wrk.ts';

/** Rates that the generator has to keep against a server that is quick. */
const RATES = [500, 5_000] as const;

/** Whether the load generator measures correctly, against servers of known latency. */
export const honesty: Suite = {
  name: 'honesty',
  title:
    'The load generator against servers of known latency: one stalls for a tenth of the time, one holds each answer for 5 ms, and one is fast',
  // A stall lasts a tenth of a block: one second in ten.
  effort: { rounds: 5, blockMs: 10_000, warmupMs: 500 },
  run: measureHonesty,
};

async function measureHonesty(workplace: Workplace, effort: Effort): Promise<Measurement> {
  const wrk = await wrkVersion();
  const stall = await measureStall(workplace, effort, wrk !== undefined);
  const hold = await measureHold(workplace, effort, wrk !== undefined);
  const rates = await measureRates(workplace, effort);
  const alarm = await measureAlarm(effort.rounds);
  const conditions = {
    perSecond: PER_SECOND,
    stallMs: STALL_SHARE * effort.blockMs,
    holdMs: HOLD_MS,
    roundsOfHold: hold.rounds,
    roundsWithWarningsLeftOut: hold.withWarnings < hold.rounds ? hold.withWarnings : 0,
    connectionsOfClosedLoops: CONNECTIONS,
    wrk: wrk ?? 'left out, as it is not installed',
  };
  return { conditions, figures: [...stall, ...hold.figures, ...rates, alarm] };
}

/** Of all requests that are due, a tenth of the stalled ones wait for more than nine tenths of the stall: one in a hundred. */
async function measureStall(
  workplace: Workplace,
  effort: Effort,
  hasWrk: boolean,
): Promise<readonly Figure[]> {
  const stallMs = STALL_SHARE * effort.blockMs;
  const feltMs = stallMs * (1 - 0.01 / STALL_SHARE);
  const server = workplace.closing(await KnownProcess.start(0, effort.blockMs));
  const { port } = server;
  const aim = aimOf(port);
  const wrk = await wrkOn(workplace, effort, { port, delayMs: WRK_PERIOD_MS });
  const byArrivals = async (arrivals: Arrivals, seed: number): Promise<number> =>
    (await load(workplace, effort, { aim, arrivals, seed })).measured.latency.p99Ms;
  const ways = {
    open: (seed: number) => byArrivals(constant(PER_SECOND), seed),
    closed: (seed: number) => byArrivals({ kind: 'closed', concurrency: CONNECTIONS }, seed),
    wrk: async () => (await wrk()).p99Ms,
  };
  const kinds = (['open', 'closed', 'wrk'] as const).filter((kind) => hasWrk || kind !== 'wrk');
  const p99s = await interleave(kinds, effort.rounds, async (kind, round) => {
    const ms = await ways[kind](round);
    workplace.print(`stall, round ${round + 1} ${kind}: p99 ${ms.toFixed(2)} ms`);
    return ms;
  });
  const felt = (name: string, kind: (typeof kinds)[number]): Figure => ({
    name: `stalls: p99, ${name} / what users see`,
    unit: 'ratio',
    spread: spreadOf(p99s[kind].map((ms) => ms / feltMs)),
  });
  return [
    { ...felt('our open loop', 'open'), goal: { atLeast: 0.95 } },
    felt('our closed loop', 'closed'),
    ...(hasWrk ? [felt('wrk', 'wrk')] : []),
  ];
}

async function measureRates(workplace: Workplace, effort: Effort): Promise<readonly Figure[]> {
  const echo = workplace.closing(await EchoProcess.start());
  const aim = aimOf(echo.port, '/echo');
  const kinds = RATES.map(String);
  const off = await interleave(kinds, effort.rounds, async (kind, round) => {
    const order = { aim, arrivals: constant(Number(kind)), seed: round };
    // Not those that were due in time: answers that came in time, of whichever requests.
    const { answersPerSecond } = await load(workplace, effort, order);
    return 100 * Math.abs(answersPerSecond / Number(kind) - 1);
  });
  return kinds.map((kind) => ({
    name: `answered of ${kind} per second: off by`,
    unit: 'percent',
    spread: spreadOf(off[kind] ?? []),
    goal: { atMost: 1 },
  }));
}
