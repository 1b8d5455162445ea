import { aimAt, inferAim, oneRow } from './aim.ts';
import { interleave, type Rounds, ratioSpread, spreadOf } from './blocks.ts';
import { EchoProcess } from './echo-process.ts';
import type { Effort } from './effort.ts';
import type { Figure, Measurement, Suite } from './figure.ts';
import { INPUT, tinyModel } from './models.ts';
import type { Workplace } from './workplace.ts';

const COLUMNS = 16;
/** Enough to keep two cores busy: with 32 the processes wait for each other's turns, and a quarter of the cores is idle. */
const IN_FLIGHT = 128;
const MODEL = 'tiny';

/** The throughput of the gateway with a model that costs nothing, over that of a bare web server. */
export const overhead: Suite = {
  name: 'overhead',
  title: 'A trivial model, compared with a bare fastify route that echoes the same body',
  effort: { rounds: 11, blockMs: 3_000, warmupMs: 500 },
  run: measureOverhead,
};

const KINDS = ['echo', 'process', 'thread', 'echoAgain'] as const;
type Kind = (typeof KINDS)[number];

async function measureOverhead(workplace: Workplace, effort: Effort): Promise<Measurement> {
  const { loader, print } = workplace;
  await workplace.addModel(MODEL, tinyModel(COLUMNS));
  const startGateway = async (isolation: 'process' | 'thread') => {
    const models = { [MODEL]: { execution: { isolation } } };
    const { port } = await workplace.startGateway({ models });
    return inferAim({ port, protocol: 'rest-binary', model: MODEL }, [oneRow(INPUT, COLUMNS)]);
  };
  const inProcess = await startGateway('process');
  const inThread = await startGateway('thread');
  const echo = aimAt(inProcess, workplace.closing(await EchoProcess.start()).port, '/echo');
  const aims = { echo, process: inProcess, thread: inThread, echoAgain: echo };
  const perSecond = await interleave(KINDS, effort.rounds, async (kind, round) => {
    const found = await loader.closedRate(aims[kind], { effort, inFlight: IN_FLIGHT });
    print(`round ${round + 1} ${kind}: ${Math.round(found)} per second`);
    return found;
  });
  const requestBytes = echo.requests[0]?.byteLength ?? 0;
  return {
    conditions: { requestsInFlight: IN_FLIGHT, requestBytes },
    figures: figuresOf(perSecond),
  };
}

function figuresOf(perSecond: Rounds<Kind, number>): readonly Figure[] {
  const aaControl = ratioSpread(perSecond.echoAgain, perSecond.echo);
  const ratio = (name: string, kind: Kind): Figure => ({
    name: `${name} / echo`,
    unit: 'ratio',
    spread: ratioSpread(perSecond[kind], perSecond.echo),
    aaControl,
  });
  const rate = (name: string, kind: Kind): Figure => ({
    name,
    unit: 'per second',
    spread: spreadOf(perSecond[kind]),
  });
  return [
    { ...ratio('gateway (process tier)', 'process'), goal: { atLeast: 0.5 } },
    ratio('gateway (thread tier)', 'thread'),
    rate('gateway (process tier)', 'process'),
    rate('gateway (thread tier)', 'thread'),
    rate('echo', 'echo'),
  ];
}
