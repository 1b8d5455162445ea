import { poisson } from '../src/load/nouns/arrivals.ts';
import type { LatencySummary } from '../src/load/nouns/load-report.ts';
import { interleave, ratioSpread, spreadOf } from './blocks.ts';
import type { Effort } from './effort.ts';
import type { Figure } from './figure.ts';
import { aimOf, load, PER_SECOND, WRK_PERIOD_MS, wrkOn } from './known-load.ts';
import { KnownProcess } from './known-process.ts';
import { wakeLateness } from './wake-lateness.ts';
import type { Workplace } from './workplace.ts';

export const HOLD_MS = 5;

/** What a tool showed, and what the server says of the same answers. */
type Held = { readonly shown: Percentiles; readonly own: Percentiles };
type Percentiles = Pick<LatencySummary, 'p50Ms' | 'p99Ms'>;
type HeldRound = {
  readonly fromDue: Held;
  readonly fromSending: Held;
  /** Whether the load has no warnings; rounds with warnings are left out. */
  readonly isSound: boolean;
};

/** Loads by each tool in turn, and what the server says of each. The server of a load was made to forget the ones before. */
export async function measureHold(
  workplace: Workplace,
  effort: Effort,
  hasWrk: boolean,
): Promise<{
  readonly rounds: number;
  readonly withWarnings: number;
  readonly figures: readonly Figure[];
}> {
  const server = workplace.closing(await KnownProcess.start(HOLD_MS, 0));
  const { port } = server;
  const aim = aimOf(port);
  const wrk = await wrkOn(workplace, effort, { port, delayMs: WRK_PERIOD_MS - HOLD_MS });
  // The server reports all answers and cannot know a warm-up, so its cold code has a load of its own.
  const whole = { ...effort, warmupMs: 0 };
  await load(workplace, whole, { aim, arrivals: poisson(PER_SECOND), seed: effort.rounds });
  const ways = {
    ours: async (round: number): Promise<HeldRound> => {
      const order = { aim, arrivals: poisson(PER_SECOND), seed: round };
      const { measured, warnings } = await load(workplace, whole, order);
      const own = await server.held();
      return {
        fromDue: { shown: measured.latency, own },
        fromSending: { shown: measured.service, own },
        isSound: warnings.length === 0,
      };
    },
    wrk: async (): Promise<HeldRound> => {
      const held = { shown: await wrk(), own: await server.held() };
      return { fromDue: held, fromSending: held, isSound: true };
    },
  };
  const kinds = (['ours', 'wrk'] as const).filter((kind) => hasWrk || kind !== 'wrk');
  const wakes: Percentiles[] = [];
  const rounds = await interleave(kinds, effort.rounds, async (kind, round) => {
    if (kind === 'ours') wakes.push(wakeLateness(effort.blockMs / 5));
    await server.held('forget');
    const held = await ways[kind](round);
    workplace.print(`hold, round ${round + 1} ${kind}: ${wordsOf(held.fromDue)}`);
    return held;
  });
  const sound = rounds.ours.filter(({ isSound }) => isSound);
  return {
    rounds: effort.rounds,
    withWarnings: effort.rounds - sound.length,
    figures: [
      // Of the rounds that are sound; of all where none is.
      ...figuresOfHold(sound.length > 0 ? sound : rounds.ours, rounds.wrk ?? []),
      ...(['p50Ms', 'p99Ms'] as const).map((at) => wakeFigure(at, wakes)),
    ],
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

/** What the machine itself takes of the 2 %, which are 0.1 ms: once for the generator, and once more for the server. */
function wakeFigure(at: keyof Percentiles, wakes: readonly Percentiles[]): Figure {
  return {
    name: `this machine: a thread that sleeps wakes late by, ${at.replace('Ms', '')}`,
    unit: 'ms',
    spread: spreadOf(wakes.map((each) => each[at])),
  };
}

function wordsOf({ shown, own }: Held): string {
  const words = ({ p50Ms, p99Ms }: Percentiles) =>
    `p50 ${p50Ms.toFixed(3)} ms, p99 ${p99Ms.toFixed(3)} ms`;
  return `${words(shown)}; the server's own ${words(own)}`;
}
