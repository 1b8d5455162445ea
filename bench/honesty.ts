import { type Arrivals, constant, poisson } from '../src/load/arrivals.ts';
import type { LatencySummary, LoadReport } from '../src/load/report/load-report.ts';
import { postBytes } from '../src/load/wire/http-connection.ts';
import { type Aim, here } from './aim.ts';
import { interleave, ratioSpread, spreadOf } from './blocks.ts';
import { EchoProcess } from './echo-process.ts';
import type { Effort, Figure, Measurement, Suite } from './figure.ts';
import { KnownProcess, STALL_SHARE } from './known-process.ts';
import { expectAllAnswered } from './loader.ts';
import type { Workplace } from './workplace.ts';
import { delayScript, loadWithWrk, wrkVersion } from './wrk.ts';

/** Of the loads on the servers of known latency. */
const PER_SECOND = 500;
/** wrk and our closed loop have so many connections, and each wrk one waits so long: together the same rate. */
const CONNECTIONS = 10;
const WRK_DELAY_MS = (1_000 * CONNECTIONS) / PER_SECOND;
const HOLD_MS = 5;
/** Rates that the generator has to keep against a server that is quick. */
const RATES = [500, 5_000] as const;
const IN_FLIGHT_MAX = 2_048;

/** Whether the load generator tells the truth, against servers whose truth is known. */
export const honesty: Suite = {
  name: 'honesty',
  title:
    'The load generator against servers of known latency: one that stalls for a tenth of the time, one that holds each answer for 5 ms, and one that is quick',
  // A stall lasts a tenth of a block: one second in ten.
  effort: { rounds: 5, blockMs: 10_000, warmupMs: 500 },
  run: measureHonesty,
};

async function measureHonesty(workplace: Workplace, effort: Effort): Promise<Measurement> {
  const wrk = await wrkVersion();
  const stall = await measureStall(workplace, effort, wrk !== undefined);
  const hold = await measureHold(workplace, effort);
  const rates = await measureRates(workplace, effort);
  const conditions = {
    perSecond: PER_SECOND,
    stallMs: STALL_SHARE * effort.blockMs,
    holdMs: HOLD_MS,
    roundsOfHold: hold.rounds,
    ofThoseInDoubtAndLeftOut: hold.inDoubt < hold.rounds ? hold.inDoubt : 0,
    connectionsOfClosedLoops: CONNECTIONS,
    wrk: wrk ?? 'left out, as it is not installed',
  };
  return { conditions, figures: [...stall, ...hold.figures, ...rates] };
}

type Order = { readonly aim: Aim; readonly arrivals: Arrivals; readonly seed: number };

async function load(
  { loader }: Workplace,
  { warmupMs, blockMs }: Effort,
  order: Order,
): Promise<LoadReport> {
  const { arrivals } = order;
  const inFlightMax = arrivals.kind === 'closed' ? arrivals.concurrency : IN_FLIGHT_MAX;
  const report = await loader.load({ ...order, inFlightMax, warmupMs, measuredMs: blockMs });
  expectAllAnswered(report);
  return report;
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
  const script = await workplace.addFile('delay.lua', delayScript(WRK_DELAY_MS));
  const seconds = Math.max(1, Math.round(effort.blockMs / 1_000));
  const byArrivals = async (arrivals: Arrivals, seed: number): Promise<number> =>
    (await load(workplace, effort, { aim, arrivals, seed })).measured.latency.p99Ms;
  const ways = {
    open: (seed: number) => byArrivals(constant(PER_SECOND), seed),
    closed: (seed: number) => byArrivals({ kind: 'closed', concurrency: CONNECTIONS }, seed),
    wrk: async () => (await loadWithWrk({ port, connections: CONNECTIONS, seconds, script })).p99Ms,
  };
  const kinds = (['open', 'closed', 'wrk'] as const).filter((kind) => hasWrk || kind !== 'wrk');
  const p99s = await interleave(kinds, effort.rounds, async (kind, round) => {
    const ms = await ways[kind](round);
    workplace.tell(`stall, round ${round + 1} ${kind}: p99 ${ms.toFixed(2)} ms`);
    return ms;
  });
  const felt = (name: string, kind: (typeof kinds)[number]): Figure => ({
    name: `stalls: p99, ${name} / what users feel`,
    unit: 'ratio',
    spread: spreadOf(p99s[kind].map((ms) => ms / feltMs)),
  });
  return [
    { ...felt('our open loop', 'open'), goal: { atLeast: 0.95 } },
    felt('our closed loop', 'closed'),
    ...(hasWrk ? [felt('wrk', 'wrk')] : []),
  ];
}

type Held = {
  readonly ours: LoadReport['measured'];
  readonly theirs: LatencySummary;
  /** Not doubted by the generator itself: what it says not to be trusted is not held against it. */
  readonly isSound: boolean;
};

/** Of the rounds that are sound; of all where none is. */
async function measureHold(
  workplace: Workplace,
  effort: Effort,
): Promise<{
  readonly rounds: number;
  readonly inDoubt: number;
  readonly figures: readonly Figure[];
}> {
  const server = workplace.closing(await KnownProcess.start(HOLD_MS, 0));
  const aim = aimOf(server.port);
  const rounds: Held[] = [];
  // The server tells of all answers and cannot know a warm-up, so its cold code has a load of its own.
  const whole = { ...effort, warmupMs: 0 };
  await load(workplace, whole, { aim, arrivals: poisson(PER_SECOND), seed: effort.rounds });
  for (let round = 0; round < effort.rounds; round += 1) {
    await server.held('forget');
    const order = { aim, arrivals: poisson(PER_SECOND), seed: round };
    const { measured, doubts } = await load(workplace, whole, order);
    const held = { ours: measured, theirs: await server.held(), isSound: doubts.length === 0 };
    workplace.tell(`hold, round ${round + 1}: ${wordsOf(held)}`);
    rounds.push(held);
  }
  const sound = rounds.filter(({ isSound }) => isSound);
  const judged = sound.length > 0 ? sound : rounds;
  const off = (name: string, of: 'latency' | 'service', at: 'p50Ms' | 'p99Ms'): Figure => ({
    name: `5 ms: ${name} off the server's own by`,
    unit: 'percent',
    spread: spreadOf(
      judged.map(({ ours, theirs }) => 100 * Math.abs(ours[of][at] / theirs[at] - 1)),
    ),
  });
  return {
    rounds: rounds.length,
    inDoubt: rounds.length - sound.length,
    figures: [
      { ...off('p50', 'latency', 'p50Ms'), goal: { atMost: 2 } },
      { ...off('p99', 'latency', 'p99Ms'), goal: { atMost: 2 } },
      off('p50 from the sending', 'service', 'p50Ms'),
      off('p99 from the sending', 'service', 'p99Ms'),
      {
        name: "5 ms: p50 / the server's own",
        unit: 'ratio',
        spread: ratioSpread(
          judged.map(({ ours }) => ours.latency.p50Ms),
          judged.map(({ theirs }) => theirs.p50Ms),
        ),
      },
    ],
  };
}

function wordsOf({ ours: { latency }, theirs }: Held): string {
  const words = ({ p50Ms, p99Ms }: LatencySummary) =>
    `p50 ${p50Ms.toFixed(3)} ms, p99 ${p99Ms.toFixed(3)} ms`;
  return `${words(latency)}; the server's own ${words(theirs)}`;
}

async function measureRates(workplace: Workplace, effort: Effort): Promise<readonly Figure[]> {
  const echo = workplace.closing(await EchoProcess.start());
  const aim = aimOf(echo.port, '/echo');
  const kinds = RATES.map(String);
  const off = await interleave(kinds, effort.rounds, async (kind, round) => {
    const order = { aim, arrivals: constant(Number(kind)), seed: round };
    const { measured } = await load(workplace, effort, order);
    return 100 * Math.abs(measured.okPerSecond / Number(kind) - 1);
  });
  return kinds.map((kind) => ({
    name: `answered of ${kind} per second: off by`,
    unit: 'percent',
    spread: spreadOf(off[kind] ?? []),
    goal: { atMost: 1 },
  }));
}

function aimOf(port: number, path = '/'): Aim {
  const request = postBytes({
    host: `127.0.0.1:${port}`,
    path,
    headers: { 'content-type': 'application/octet-stream' },
    body: Buffer.from('x'),
  });
  return { wire: { kind: 'http', address: here(port) }, requests: [request] };
}
