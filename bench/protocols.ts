import type { Protocol } from '../src/load/nouns/target.ts';
import { type Aim, aimAt, inferAim, oneRow } from './aim.ts';
import { interleave, ratioSpread, spreadOf } from './blocks.ts';
import { EchoProcess } from './echo-process.ts';
import type { Effort } from './effort.ts';
import type { Figure, Measurement, Suite } from './figure.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { GrpcEchoProcess } from './grpc-echo-process.ts';
import { firstValueModel, INPUT, tinyModel } from './models.ts';
import type { Workplace } from './workplace.ts';

/** 1 KiB each way. */
const SMALL = { model: 'small', columns: 256, inFlight: 128 };
/** An image of 3 x 224 x 224, 588 KiB; the answer is one number. */
const LARGE = { model: 'large', columns: 150_528, inFlight: 8 };

/** The throughput of each protocol over that of a server of the same library without a model, small and large. */
export const protocols: Suite = {
  name: 'protocols',
  title:
    'gRPC and REST with a trivial model, compared with a stock grpc-js server and a bare fastify route. An echo returns the request; a sink reads it and returns little, as the large model does',
  effort: { rounds: 9, blockMs: 2_000, warmupMs: 500 },
  run: measureProtocols,
};

type Side = 'process' | 'thread' | 'echo' | 'sink' | 'echoAgain';
type Comparison = {
  readonly name: string;
  readonly goalOfProcess?: number;
  readonly aims: Readonly<Partial<Record<Side, Aim>>>;
  readonly inFlight: number;
};

async function measureProtocols(workplace: Workplace, effort: Effort): Promise<Measurement> {
  await workplace.addModel(SMALL.model, tinyModel(SMALL.columns));
  await workplace.addModel(LARGE.model, firstValueModel(LARGE.columns));
  const figures: Figure[] = [];
  for (const comparison of comparisonsOf(await startServers(workplace))) {
    figures.push(...(await compare(comparison, workplace, effort)));
  }
  const conditions = {
    smallBytes: SMALL.columns * 4,
    smallInFlight: SMALL.inFlight,
    largeBytes: LARGE.columns * 4,
    largeInFlight: LARGE.inFlight,
    grpcConnections: 1,
  };
  return { conditions, figures };
}

type Servers = {
  readonly process: GatewayProcess;
  readonly thread: GatewayProcess;
  readonly echo: EchoProcess;
  readonly grpcEcho: GrpcEchoProcess;
};

async function startServers(workplace: Workplace): Promise<Servers> {
  const startGateway = (isolation: 'process' | 'thread'): Promise<GatewayProcess> => {
    const execution = { isolation };
    const models = { [SMALL.model]: { execution }, [LARGE.model]: { execution } };
    return workplace.startGateway({ models });
  };
  return {
    process: await startGateway('process'),
    thread: await startGateway('thread'),
    echo: workplace.closing(await EchoProcess.start()),
    grpcEcho: workplace.closing(await GrpcEchoProcess.start()),
  };
}

function comparisonsOf(servers: Servers): readonly Comparison[] {
  // The small model gives as much as it takes, and so does its echo: there is no use for a sink.
  const { sink: _, ...small } = aimsOf('grpc', SMALL, servers);
  const large = { aims: aimsOf('grpc', LARGE, servers), inFlight: LARGE.inFlight };
  return [
    { name: 'gRPC 1 KB', goalOfProcess: 0.6, aims: small, inFlight: SMALL.inFlight },
    { name: 'gRPC 600 KB', goalOfProcess: 1.4, ...large },
    { name: 'REST 600 KB', aims: aimsOf('rest-binary', LARGE, servers), inFlight: LARGE.inFlight },
  ];
}

function aimsOf(
  protocol: Protocol,
  { model, columns }: typeof SMALL,
  servers: Servers,
): Readonly<Record<Side, Aim>> {
  const portOf = (gateway: GatewayProcess) =>
    protocol === 'grpc' ? gateway.grpcPort : gateway.port;
  const infer = (gateway: GatewayProcess): Aim =>
    inferAim({ port: portOf(gateway), protocol, model }, [oneRow(INPUT, columns)]);
  const inProcess = infer(servers.process);
  const [limit, echoPath, sinkPath] =
    protocol === 'grpc'
      ? [servers.grpcEcho, '/bench.Echo/Echo', '/bench.Echo/Take']
      : [servers.echo, '/echo', '/take'];
  const echo = aimAt(inProcess, limit.port, echoPath);
  return {
    echo,
    process: inProcess,
    thread: infer(servers.thread),
    sink: aimAt(inProcess, limit.port, sinkPath),
    echoAgain: echo,
  };
}

async function compare(
  { name, goalOfProcess, aims, inFlight }: Comparison,
  { loader, print }: Workplace,
  effort: Effort,
): Promise<readonly Figure[]> {
  const sides = Object.keys(aims) as Side[];
  const perSecond = await interleave(sides, effort.rounds, async (side, round) => {
    const aim = aims[side];
    const found =
      aim === undefined ? Number.NaN : await loader.closedRate(aim, { effort, inFlight });
    print(`${name}, round ${round + 1} ${side}: ${Math.round(found)} per second`);
    return found;
  });
  const aaControl = ratioSpread(perSecond.echoAgain, perSecond.echo);
  const ratio = (over: Side, under: Side): Figure => ({
    name: `${name}: ${NAMES[over]} / ${under}`,
    unit: 'ratio',
    spread: ratioSpread(perSecond[over], perSecond[under]),
    aaControl,
  });
  const goal = goalOfProcess === undefined ? {} : { goal: { atLeast: goalOfProcess } };
  const toSink = sides.includes('sink') ? [ratio('process', 'sink'), ratio('thread', 'sink')] : [];
  const rates = sides
    .filter((side) => side !== 'echoAgain')
    .map(
      (side): Figure => ({
        name: `${name}: ${NAMES[side]}`,
        unit: 'per second',
        spread: spreadOf(perSecond[side]),
      }),
    );
  return [{ ...ratio('process', 'echo'), ...goal }, ratio('thread', 'echo'), ...toSink, ...rates];
}

const NAMES: Readonly<Record<Side, string>> = {
  process: 'gateway (process tier)',
  thread: 'gateway (thread tier)',
  echo: 'echo',
  sink: 'sink',
  echoAgain: 'echo, A/A control',
};
