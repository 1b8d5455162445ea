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
import { delayScript, loadWithWrk, type WrkReport, wrkVersion } from './wrk.ts';

/** Of the loads on the servers of known latency. */
const PER_SECOND = 500;
/** wrk and our closed loop have so many connections. */
const CONNECTIONS = 10;
/** From one request of a wrk connection to its next, answer and wait: together the same rate. */
const WRK_PERIOD_MS = (1_000 * CONNECTIONS) / PER_SECOND;
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
  const hold = await measureHold(workplace, effort, wrk !== undefined);
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

/** What a tool showed, and what the server says of the same answers. */
type Held = { readonly shown: Percentiles; readonly own: Percentiles };
type Percentiles = Pick<LatencySummary, 'p50Ms' | 'p99Ms'>;
type HeldRound = {
  readonly fromDue: Held;
  readonly fromSending: Held;
  /** Not doubted by the generator itself: what it says not to be trusted is not held against it. */
  readonly isSound: boolean;
};

/** Loads by each tool in turn, and what the server says of each. The server of a load was made to forget the ones before. */
async function measureHold(
  workplace: Workplace,
  effort: Effort,
  hasWrk: boolean,
): Promise<{
  readonly rounds: number;
  readonly inDoubt: number;
  readonly figures: readonly Figure[];
}> {
  const server = workplace.closing(await KnownProcess.start(HOLD_MS, 0));
  const { port } = server;
  const aim = aimOf(port);
  const wrk = await wrkOn(workplace, effort, { port, delayMs: WRK_PERIOD_MS - HOLD_MS });
  // The server tells of all answers and cannot know a warm-up, so its cold code has a load of its own.
  const whole = { ...effort, warmupMs: 0 };
  await load(workplace, whole, { aim, arrivals: poisson(PER_SECOND), seed: effort.rounds });
  const ways = {
    ours: async (round: number): Promise<HeldRound> => {
      const order = { aim, arrivals: poisson(PER_SECOND), seed: round };
      const { measured, doubts } = await load(workplace, whole, order);
      const own = await server.held();
      return {
        fromDue: { shown: measured.latency, own },
        fromSending: { shown: measured.service, own },
        isSound: doubts.length === 0,
      };
    },
    wrk: async (): Promise<HeldRound> => {
      const held = { shown: await wrk(), own: await server.held() };
      return { fromDue: held, fromSending: held, isSound: true };
    },
  };
  const kinds = (['ours', 'wrk'] as const).filter((kind) => hasWrk || kind !== 'wrk');
  const rounds = await interleave(kinds, effort.rounds, async (kind, round) => {
    await server.held('forget');
    const held = await ways[kind](round);
    workplace.tell(`hold, round ${round + 1} ${kind}: ${wordsOf(held.fromDue)}`);
    return held;
  });
  const sound = rounds.ours.filter(({ isSound }) => isSound);
  return {
    rounds: effort.rounds,
    inDoubt: effort.rounds - sound.length,
    // Of the rounds that are sound; of all where none is.
    figures: figuresOfHold(sound.length > 0 ? sound : rounds.ours, rounds.wrk ?? []),
  };
}

/** How far off the tools are, `byWrk` left out where it is empty. */
function figuresOfHold(ours: readonly HeldRound[], byWrk: readonly HeldRound[]): readonly Figure[] {
  const off = (name: string, at: keyof Percentiles, of: readonly Held[]): Figure => ({
    name: `5 ms: ${name} off the server's own by`,
    unit: 'percent',
    spread: spreadOf(of.map(({ shown, own }) => 100 * Math.abs(shown[at] / own[at] - 1))),
  });
  const due = ours.map(({ fromDue }) => fromDue);
  const sending = ours.map(({ fromSending }) => fromSending);
  const wrk = byWrk.map(({ fromSending }) => fromSending);
  return [
    { ...off('p50', 'p50Ms', due), goal: { atMost: 2 } },
    { ...off('p99', 'p99Ms', due), goal: { atMost: 2 } },
    off('p50 from the sending', 'p50Ms', sending),
    off('p99 from the sending', 'p99Ms', sending),
    ...(wrk.length > 0 ? [off('p50 of wrk', 'p50Ms', wrk), off('p99 of wrk', 'p99Ms', wrk)] : []),
    {
      name: "5 ms: p50 / the server's own",
      unit: 'ratio',
      spread: ratioSpread(
        due.map(({ shown }) => shown.p50Ms),
        due.map(({ own }) => own.p50Ms),
      ),
    },
  ];
}

function wordsOf({ shown, own }: Held): string {
  const words = ({ p50Ms, p99Ms }: Percentiles) =>
    `p50 ${p50Ms.toFixed(3)} ms, p99 ${p99Ms.toFixed(3)} ms`;
  return `${words(shown)}; the server's own ${words(own)}`;
}

/** A load by wrk for as long as a block lasts, each of its connections waiting so long after an answer: the nearest it has to a rate. */
async function wrkOn(
  workplace: Workplace,
  { blockMs }: Effort,
  { port, delayMs }: { readonly port: number; readonly delayMs: number },
): Promise<() => Promise<WrkReport>> {
  const script = await workplace.addFile(`delay-${delayMs}.lua`, delayScript(delayMs));
  const seconds = Math.max(1, Math.round(blockMs / 1_000));
  return () => loadWithWrk({ port, connections: CONNECTIONS, seconds, script });
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
