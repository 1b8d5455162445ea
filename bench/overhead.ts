import { LoadProcess } from '../src/load/load-process.ts';
import { interleave, ratiosOf, spreadOf } from './blocks.ts';
import { EchoProcess } from './echo-process.ts';
import type { Effort, Suite, SuiteResult } from './figure.ts';
import { GatewayProcess } from './gateway-process.ts';
import { echoPost, inferBody, inferPost, oneRow } from './infer-request.ts';
import { closedBlock, type Target } from './load-block.ts';
import { INPUT, tinyModel } from './models.ts';
import { Workplace } from './workplace.ts';

const COLUMNS = 16;
/** Enough to keep two cores busy: with 32 the processes wait for each other's turns, and a quarter of the cores is idle. */
const CONCURRENCY = 128;
const MODEL = 'tiny';

/** What all of the gateway costs beside a web server that does nothing, where the model costs nothing either. */
export const overhead: Suite = {
  name: 'overhead',
  title: 'A model that costs nothing, against a bare fastify route that echoes the same body',
  effort: { rounds: 11, blockMs: 3_000, warmupMs: 500 },
  run: measureOverhead,
};

type Kind = 'echo' | 'process' | 'thread' | 'echoAgain';

async function measureOverhead(effort: Effort, tell: (line: string) => void): Promise<SuiteResult> {
  const workplace = await Workplace.create();
  const running: { stop: () => Promise<void> | void }[] = [];
  try {
    await workplace.addModel(MODEL, tinyModel(COLUMNS));
    const body = inferBody(oneRow(INPUT, COLUMNS));
    const startGateway = async (isolation: 'process' | 'thread'): Promise<Target> => {
      const config = await workplace.writeConfig({ [MODEL]: { execution: { isolation } } });
      const gateway = await GatewayProcess.start(config);
      running.push(gateway);
      return { port: gateway.port, request: inferPost(gateway.port, MODEL, body) };
    };
    const echo = await EchoProcess.start();
    running.push({ stop: () => echo.close() });
    const generator = new LoadProcess();
    running.push({ stop: () => generator.close() });
    const echoTarget = { port: echo.port, request: echoPost(echo.port, body) };
    const targets: Readonly<Record<Kind, Target>> = {
      echo: echoTarget,
      process: await startGateway('process'),
      thread: await startGateway('thread'),
      echoAgain: echoTarget,
    };
    const kinds = ['echo', 'process', 'thread', 'echoAgain'] as const;
    const perSecond = await interleave(kinds, effort.rounds, async (kind, round) => {
      const block = { effort, concurrency: CONCURRENCY };
      const found = await closedBlock(generator, targets[kind], block);
      tell(`round ${round + 1} ${kind}: ${Math.round(found)} per second`);
      return found;
    });
    return resultOf(perSecond, effort, body.bytes.byteLength);
  } finally {
    for (const each of running) await each.stop();
    await workplace.remove();
  }
}

function resultOf(
  perSecond: Readonly<Record<Kind, readonly number[]>>,
  effort: Effort,
  bodyBytes: number,
): SuiteResult {
  const ratio = (kind: Kind) => spreadOf(ratiosOf(perSecond[kind], perSecond.echo));
  const rate = (name: string, kind: Kind) => ({
    name,
    unit: 'per second' as const,
    spread: spreadOf(perSecond[kind]),
  });
  return {
    suite: overhead.name,
    title: overhead.title,
    conditions: {
      requestsInFlight: CONCURRENCY,
      bodyBytes,
      rounds: effort.rounds,
      blockMs: effort.blockMs,
    },
    figures: [
      {
        name: 'gateway (process tier) / echo',
        unit: 'ratio',
        spread: ratio('process'),
        goal: { atLeast: 0.5 },
      },
      { name: 'gateway (thread tier) / echo', unit: 'ratio', spread: ratio('thread') },
      { name: 'echo / echo, the same again', unit: 'ratio', spread: ratio('echoAgain') },
      rate('gateway (process tier)', 'process'),
      rate('gateway (thread tier)', 'thread'),
      rate('echo', 'echo'),
    ],
  };
}
