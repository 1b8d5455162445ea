import { LoadProcess } from '../src/load/load-process.ts';
import { interleave, ratiosOf, spreadOf } from './blocks.ts';
import { EchoProcess } from './echo-process.ts';
import type { Effort, Figure, Suite, SuiteResult } from './figure.ts';
import { GatewayProcess } from './gateway-process.ts';
import { GrpcClientProcess, GrpcEchoProcess } from './grpc-processes.ts';
import { type GrpcCall, inferCall } from './infer-message.ts';
import { echoPost, inferBody, inferPost, oneRow } from './infer-request.ts';
import { closedBlock } from './load-block.ts';
import { firstValueModel, INPUT, tinyModel } from './models.ts';
import { Workplace } from './workplace.ts';

/** 1 KiB each way. */
const SMALL = { model: 'small', columns: 256, inFlight: 128 };
/** An image of 3 x 224 x 224, 588 KiB; the answer is one number. */
const LARGE = { model: 'large', columns: 150_528, inFlight: 8 };

/** What each protocol costs beside a server of the same library that does nothing, small and large. */
export const protocols: Suite = {
  name: 'protocols',
  title:
    'gRPC and REST around a model that costs nothing, against a stock grpc-js server and a bare fastify route. An echo gives the request back, a sink takes it and gives little, as the large model does',
  effort: { rounds: 9, blockMs: 2_000, warmupMs: 500 },
  run: measureProtocols,
};

type Side = 'process' | 'thread' | 'echo' | 'sink' | 'echoAgain';
/** One block of each side; returns answers per second. */
type Blocks = Readonly<Partial<Record<Side, () => Promise<number>>>>;
type Comparison = {
  readonly name: string;
  readonly goalOfProcess?: number;
  readonly blocks: Blocks;
};

type Servers = {
  readonly process: GatewayProcess;
  readonly thread: GatewayProcess;
  readonly echo: EchoProcess;
  readonly grpcEcho: GrpcEchoProcess;
};
type Clients = { readonly http: LoadProcess; readonly grpc: GrpcClientProcess };

async function measureProtocols(
  effort: Effort,
  tell: (line: string) => void,
): Promise<SuiteResult> {
  const workplace = await Workplace.create();
  const running: { readonly stop: () => Promise<void> | void }[] = [];
  const closing = <T extends { close: () => void }>(each: T): T => {
    running.push({ stop: () => each.close() });
    return each;
  };
  try {
    await workplace.addModel(SMALL.model, tinyModel(SMALL.columns));
    await workplace.addModel(LARGE.model, firstValueModel(LARGE.columns));
    const startGateway = async (isolation: 'process' | 'thread'): Promise<GatewayProcess> => {
      const execution = { isolation };
      const models = { [SMALL.model]: { execution }, [LARGE.model]: { execution } };
      const gateway = await GatewayProcess.start(await workplace.writeConfig(models));
      running.push(gateway);
      return gateway;
    };
    const servers: Servers = {
      process: await startGateway('process'),
      thread: await startGateway('thread'),
      echo: closing(await EchoProcess.start()),
      grpcEcho: closing(await GrpcEchoProcess.start()),
    };
    const clients = { http: closing(new LoadProcess()), grpc: closing(new GrpcClientProcess()) };
    const figures: Figure[] = [];
    for (const comparison of comparisonsOf(servers, clients, effort)) {
      figures.push(...(await compare(comparison, effort, tell)));
    }
    return resultOf(figures, effort);
  } finally {
    for (const each of running) await each.stop();
    await workplace.remove();
  }
}

function comparisonsOf(servers: Servers, clients: Clients, effort: Effort): readonly Comparison[] {
  const setup = { servers, clients, effort };
  // The small model gives as much as it takes, and so does its echo: there is no use for a sink.
  const { sink: _, ...small } = grpcBlocks(SMALL, setup);
  return [
    { name: 'gRPC 1 KB', goalOfProcess: 0.6, blocks: small },
    { name: 'gRPC 600 KB', goalOfProcess: 1.4, blocks: grpcBlocks(LARGE, setup) },
    { name: 'REST 600 KB', blocks: restBlocks(LARGE, setup) },
  ];
}

type Setup = { readonly servers: Servers; readonly clients: Clients; readonly effort: Effort };
type Size = typeof SMALL;

function grpcBlocks({ model, columns, inFlight }: Size, { servers, clients, effort }: Setup) {
  const { path, message } = inferCall(model, oneRow(INPUT, columns));
  const block = (port: number, call: GrpcCall) => () =>
    clients.grpc.perSecond({
      port,
      path: call.path,
      messageBase64: call.message.toString('base64'),
      callsInFlight: inFlight,
      warmupMs: effort.warmupMs,
      durationMs: effort.blockMs,
    });
  const echo = block(servers.grpcEcho.port, { path: '/bench.Echo/Echo', message });
  return {
    echo,
    process: block(servers.process.grpcPort, { path, message }),
    thread: block(servers.thread.grpcPort, { path, message }),
    sink: block(servers.grpcEcho.port, { path: '/bench.Echo/Take', message }),
    echoAgain: echo,
  };
}

function restBlocks({ model, columns, inFlight }: Size, { servers, clients, effort }: Setup) {
  const body = inferBody(oneRow(INPUT, columns));
  const block = (port: number, request: Buffer) => () =>
    closedBlock(clients.http, { port, request }, { effort, concurrency: inFlight });
  const infer = (port: number) => block(port, inferPost(port, model, body));
  const { port } = servers.echo;
  const echo = block(port, echoPost(port, body, '/echo'));
  return {
    echo,
    process: infer(servers.process.port),
    thread: infer(servers.thread.port),
    sink: block(port, echoPost(port, body, '/take')),
    echoAgain: echo,
  };
}

async function compare(
  { name, goalOfProcess, blocks }: Comparison,
  effort: Effort,
  tell: (line: string) => void,
): Promise<readonly Figure[]> {
  const sides = Object.keys(blocks) as Side[];
  const perSecond = await interleave(sides, effort.rounds, async (side, round) => {
    const found = (await blocks[side]?.()) ?? Number.NaN;
    tell(`${name}, round ${round + 1} ${side}: ${Math.round(found)} per second`);
    return found;
  });
  const ratio = (over: Side, under: Side): Figure => ({
    name: `${name}: ${NAMES[over]} / ${NAMES[under]}`,
    unit: 'ratio',
    spread: spreadOf(ratiosOf(perSecond[over], perSecond[under])),
  });
  const goal = goalOfProcess === undefined ? {} : { goal: { atLeast: goalOfProcess } };
  const toSink = sides.includes('sink') ? [ratio('process', 'sink'), ratio('thread', 'sink')] : [];
  const rates = sides.map(
    (side): Figure => ({
      name: `${name}: ${NAMES[side]}`,
      unit: 'per second',
      spread: spreadOf(perSecond[side]),
    }),
  );
  return [
    { ...ratio('process', 'echo'), ...goal },
    ratio('thread', 'echo'),
    ...toSink,
    ratio('echoAgain', 'echo'),
    ...rates,
  ];
}

const NAMES: Readonly<Record<Side, string>> = {
  process: 'gateway (process tier)',
  thread: 'gateway (thread tier)',
  echo: 'echo',
  sink: 'sink',
  echoAgain: 'echo, the same again',
};

function resultOf(figures: readonly Figure[], { rounds, blockMs }: Effort): SuiteResult {
  return {
    suite: protocols.name,
    title: protocols.title,
    conditions: {
      smallBytes: SMALL.columns * 4,
      smallInFlight: SMALL.inFlight,
      largeBytes: LARGE.columns * 4,
      largeInFlight: LARGE.inFlight,
      grpcConnections: 1,
      rounds,
      blockMs,
    },
    figures,
  };
}
