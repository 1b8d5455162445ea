import { setTimeout as sleep } from 'node:timers/promises';
import { constant } from '../src/load/nouns/arrivals.ts';
import { type Aim, aimAt, inferAim, oneRow } from './aim.ts';
import { interleave, type Rounds, ratioSpread, spreadOf } from './blocks.ts';
import { EchoProcess } from './echo-process.ts';
import type { Effort } from './effort.ts';
import type { Figure, Measurement, Suite } from './figure.ts';
import { expectAllAnswered } from './loader.ts';
import { INPUT, stackedModel } from './models.ts';
import type { Workplace } from './workplace.ts';

const COLUMNS = 512;
const LAYERS = 192;
const IN_FLIGHT = 6;
const MODEL = 'stacked';

/** The generator still sends while the bare runs end. */
const TAIL_MS = 100;

/** How much of what the runtime can do on one thread is left once the gateway stands around it. */
export const realModel: Suite = {
  name: 'real-model',
  title:
    'A model of a few milliseconds per run, one row per run, compared with bare session.run in one worker',
  effort: { rounds: 11, blockMs: 3_000, warmupMs: 500 },
  run: measureRealModel,
};

const KINDS = ['bare', 'process', 'thread', 'bareAgain'] as const;
type Kind = (typeof KINDS)[number];

async function measureRealModel(workplace: Workplace, effort: Effort): Promise<Measurement> {
  const { loader, print } = workplace;
  const file = await workplace.addModel(MODEL, stackedModel(COLUMNS, LAYERS));
  const aims = {
    process: await startGateway(workplace, 'process'),
    thread: await startGateway(workplace, 'thread'),
  };
  const echo = workplace.closing(await EchoProcess.start());
  await echo.open(file);
  const bare = { echo, aim: aimAt(aims.process, echo.port, '/echo'), workplace, effort };
  const block = { effort, inFlight: IN_FLIGHT };
  // The rate of the generator during the bare runs: the gateway's own, as last seen.
  let beside = await loader.closedRate(aims.process, block);
  const perSecond = await interleave(KINDS, effort.rounds, async (kind, round) => {
    const isBare = kind === 'bare' || kind === 'bareAgain';
    const found = isBare
      ? await bareRate(bare, beside)
      : await loader.closedRate(aims[kind], block);
    if (kind === 'process') beside = found;
    print(`round ${round + 1} ${kind}: ${found.toFixed(1)} per second`);
    return found;
  });
  const conditions = { requestsInFlight: IN_FLIGHT, layers: LAYERS, columns: COLUMNS };
  return { conditions, figures: figuresOf(perSecond) };
}

async function startGateway(workplace: Workplace, isolation: 'process' | 'thread'): Promise<Aim> {
  const { port } = await workplace.startGateway({
    models: {
      [MODEL]: {
        instances: { replicas: 1, intraOpThreads: 1 },
        batch: { rowsMax: 1 },
        execution: { isolation },
      },
    },
  });
  return inferAim({ port, protocol: 'rest-binary', model: MODEL }, [oneRow(INPUT, COLUMNS)]);
}

export type Bare = {
  readonly echo: EchoProcess;
  readonly aim: Aim;
  readonly workplace: Workplace;
  readonly effort: Effort;
};

/** Bare runs per second, while the generator drives the echo route at the given rate: both sides pay for the requests. */
export async function bareRate(
  { echo, aim, workplace, effort }: Bare,
  perSecond: number,
): Promise<number> {
  const load = workplace.loader.load({
    aim,
    arrivals: constant(perSecond),
    inFlightMax: IN_FLIGHT,
    warmupMs: effort.warmupMs,
    measuredMs: effort.blockMs + TAIL_MS,
  });
  await sleep(effort.warmupMs);
  const found = await echo.run(effort.blockMs);
  expectAllAnswered(await load);
  return found;
}

function figuresOf(perSecond: Rounds<Kind, number>): readonly Figure[] {
  const ratio = (kind: Kind) => ratioSpread(perSecond[kind], perSecond.bare);
  const aaControl = ratio('bareAgain');
  const rate = (name: string, kind: Kind): Figure => ({
    name,
    unit: 'per second',
    spread: spreadOf(perSecond[kind]),
  });
  return [
    {
      name: 'gateway (process tier) / bare run',
      unit: 'ratio',
      spread: ratio('process'),
      aaControl,
      goal: { atLeast: 0.95 },
    },
    { name: 'gateway (thread tier) / bare run', unit: 'ratio', spread: ratio('thread'), aaControl },
    {
      name: 'one bare run',
      unit: 'ms',
      spread: spreadOf(perSecond.bare.map((each) => 1000 / each)),
    },
    rate('gateway (process tier)', 'process'),
    rate('gateway (thread tier)', 'thread'),
    rate('bare run', 'bare'),
  ];
}
