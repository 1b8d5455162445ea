import { setTimeout as sleep } from 'node:timers/promises';
import { LoadProcess } from '../src/load/load-process.ts';
import { interleave, ratiosOf, spreadOf } from './blocks.ts';
import { EchoProcess } from './echo-process.ts';
import type { Effort, Suite, SuiteResult } from './figure.ts';
import { GatewayProcess } from './gateway-process.ts';
import { echoPost, inferBody, inferPost, oneRow } from './infer-request.ts';
import { closedBlock, expectAllAnswered, type Target } from './load-block.ts';
import { INPUT, stackedModel } from './models.ts';
import { Workplace } from './workplace.ts';

const COLUMNS = 512;
const LAYERS = 192;
const CONCURRENCY = 6;
const MODEL = 'stacked';

/** The generator still sends while the bare runs end. */
const TAIL_MS = 100;

/** How much of what the runtime can do on one thread is left once the gateway stands around it. */
export const realModel: Suite = {
  name: 'real-model',
  title:
    'A model of a few milliseconds a run, one row a run, against bare session.run in one worker',
  effort: { rounds: 11, blockMs: 3_000, warmupMs: 500 },
  run: measureRealModel,
};

type Kind = 'bare' | 'process' | 'thread' | 'bareAgain';
type Parts = {
  readonly effort: Effort;
  readonly generator: LoadProcess;
  readonly echo: EchoProcess;
  readonly echoTarget: Target;
};

async function measureRealModel(
  effort: Effort,
  tell: (line: string) => void,
): Promise<SuiteResult> {
  const workplace = await Workplace.create();
  const running: { stop: () => Promise<void> | void }[] = [];
  try {
    const file = await workplace.addModel(MODEL, stackedModel(COLUMNS, LAYERS));
    const body = inferBody(oneRow(INPUT, COLUMNS));
    const startGateway = async (isolation: 'process' | 'thread'): Promise<Target> => {
      const gateway = await GatewayProcess.start(await writeConfig(workplace, isolation));
      running.push(gateway);
      return { port: gateway.port, request: inferPost(gateway.port, MODEL, body) };
    };
    const echo = await EchoProcess.start();
    running.push({ stop: () => echo.close() });
    await echo.open(file);
    const generator = new LoadProcess();
    running.push({ stop: () => generator.close() });
    const targets = {
      process: await startGateway('process'),
      thread: await startGateway('thread'),
    };
    const echoTarget = { port: echo.port, request: echoPost(echo.port, body) };
    const parts = { effort, generator, echo, echoTarget };
    const block = { effort, concurrency: CONCURRENCY };
    // The rate that the generator keeps beside the bare runs: the gateway's own, as last seen.
    let beside = await closedBlock(generator, targets.process, block);
    const kinds = ['bare', 'process', 'thread', 'bareAgain'] as const;
    const perSecond = await interleave(kinds, effort.rounds, async (kind, round) => {
      const isBare = kind === 'bare' || kind === 'bareAgain';
      const found = isBare
        ? await bareBlock(parts, beside)
        : await closedBlock(generator, targets[kind], block);
      if (kind === 'process') beside = found;
      tell(`round ${round + 1} ${kind}: ${found.toFixed(1)} per second`);
      return found;
    });
    return resultOf(perSecond, effort);
  } finally {
    for (const each of running) await each.stop();
    await workplace.remove();
  }
}

function writeConfig(workplace: Workplace, isolation: 'process' | 'thread'): Promise<string> {
  return workplace.writeConfig({
    [MODEL]: {
      instances: { replicas: 1, intraOpThreads: 1 },
      batch: { rowsMax: 1 },
      execution: { isolation },
    },
  });
}

/** Bare runs per second, while the generator drives the echo route at the given rate: both sides pay for the requests. */
async function bareBlock(parts: Parts, perSecond: number): Promise<number> {
  const { effort, generator, echo, echoTarget } = parts;
  const load = generator.run({
    host: '127.0.0.1',
    port: echoTarget.port,
    requestsBase64: [echoTarget.request.toString('base64')],
    arrivals: { kind: 'constant', perSecond },
    connectionsMax: CONCURRENCY,
    durationMs: effort.warmupMs + effort.blockMs + TAIL_MS,
    warmupMs: effort.warmupMs,
    deadlineMs: 1_000,
    seed: 1,
  });
  await sleep(effort.warmupMs);
  const found = await echo.run(effort.blockMs);
  expectAllAnswered(await load);
  return found;
}

function resultOf(
  perSecond: Readonly<Record<Kind, readonly number[]>>,
  effort: Effort,
): SuiteResult {
  const ratio = (kind: Kind) => spreadOf(ratiosOf(perSecond[kind], perSecond.bare));
  return {
    suite: realModel.name,
    title: realModel.title,
    conditions: {
      requestsInFlight: CONCURRENCY,
      layers: LAYERS,
      columns: COLUMNS,
      rounds: effort.rounds,
      blockMs: effort.blockMs,
    },
    figures: [
      {
        name: 'gateway (process tier) / bare run',
        unit: 'ratio',
        spread: ratio('process'),
        goal: { atLeast: 0.95 },
      },
      { name: 'gateway (thread tier) / bare run', unit: 'ratio', spread: ratio('thread') },
      { name: 'bare run / bare run, the same again', unit: 'ratio', spread: ratio('bareAgain') },
      {
        name: 'one bare run',
        unit: 'ms',
        spread: spreadOf(perSecond.bare.map((rate) => 1000 / rate)),
      },
      {
        name: 'gateway (process tier)',
        unit: 'per second',
        spread: spreadOf(perSecond.process),
      },
      { name: 'bare run', unit: 'per second', spread: spreadOf(perSecond.bare) },
    ],
  };
}
