import { type Aim, aimAt, inferAim, oneRow } from './aim.ts';
import { EchoProcess } from './echo-process.ts';
import type { Effort } from './effort.ts';
import type { GatewayProcess, GatewayStart } from './gateway-process.ts';
import { GrpcEchoProcess } from './grpc-echo-process.ts';
import { FLOATS, imageForms, jsonAim } from './json-floats.ts';
import { firstValueModel, INPUT, stackedModel, tinyModel } from './models.ts';
import { bareRate } from './real-model.ts';
import { WatchedProcess } from './watched-process.ts';
import type { Workplace } from './workplace.ts';

/** Two sides of which one block each is measured at a time; more is better. `over` is the gateway, `under` its limit. */
export type Sides = { readonly over: () => Promise<number>; readonly under: () => Promise<number> };

const TINY = { model: 'tiny', columns: 16, inFlight: 128 };
const SMALL = { model: 'small', columns: 256, inFlight: 128 };
const STACKED = { model: 'stacked', columns: 512, layers: 192, inFlight: 6 };
const LARGE = 'large';
const DEADLINE_MS = 10_000;

/** One gateway with all models that the gate asks, in the tier that is the default. */
export async function startGateway(
  workplace: Workplace,
  start: GatewayStart,
): Promise<GatewayProcess> {
  await workplace.addModel(TINY.model, tinyModel(TINY.columns));
  await workplace.addModel(SMALL.model, tinyModel(SMALL.columns));
  await workplace.addModel(LARGE, firstValueModel(FLOATS));
  await workplace.addModel(STACKED.model, stackedModel(STACKED.columns, STACKED.layers));
  // A machine that stands still for a second is no reason to refuse.
  const patient = { queue: { deadlineMs: DEADLINE_MS } };
  const alone = { instances: { replicas: 1, intraOpThreads: 1 }, batch: { rowsMax: 1 } };
  const models = {
    [TINY.model]: patient,
    [SMALL.model]: patient,
    [LARGE]: patient,
    [STACKED.model]: { ...alone, ...patient },
  };
  return workplace.startGateway({ models }, start);
}

/** What a check needs to find its sides. */
export type Stage = {
  readonly workplace: Workplace;
  readonly gateway: GatewayProcess;
  readonly effort: Effort;
};

/** A model that costs nothing, against a route that echoes. */
export async function overRest({ workplace, gateway, effort }: Stage): Promise<Sides> {
  const echo = workplace.closing(await EchoProcess.start());
  const aim = aimTo(gateway.port, 'rest-binary', TINY);
  const block = { effort, inFlight: TINY.inFlight };
  return {
    over: () => workplace.loader.closedRate(aim, block),
    under: () => workplace.loader.closedRate(aimAt(aim, echo.port, '/echo'), block),
  };
}

/** 1 KiB each way over gRPC, against a stock grpc-js server that echoes. */
export async function overGrpc({ workplace, gateway, effort }: Stage): Promise<Sides> {
  const echo = workplace.closing(await GrpcEchoProcess.start());
  const aim = aimTo(gateway.grpcPort, 'grpc', SMALL);
  const block = { effort, inFlight: SMALL.inFlight };
  return {
    over: () => workplace.loader.closedRate(aim, block),
    under: () => workplace.loader.closedRate(aimAt(aim, echo.port, '/bench.Echo/Echo'), block),
  };
}

/** An image as JSON, one at a time, against a route with JSON.parse: one at a time, so the rate is that of the latency. */
export async function overJson({ workplace, gateway, effort }: Stage): Promise<Sides> {
  const parse = workplace.closing(await WatchedProcess.startJsonServer());
  const [{ body }] = imageForms();
  const block = { effort, inFlight: 1 };
  return {
    over: () => workplace.loader.closedRate(jsonAim(gateway.port, body, LARGE), block),
    under: () => workplace.loader.closedRate(jsonAim(parse.port, body), block),
  };
}

/** A model of a few milliseconds a run, against bare runs while the echo route is driven at about the gateway's rate. */
export async function aroundModel({ workplace, gateway, effort }: Stage): Promise<Sides> {
  const { loader } = workplace;
  const echo = workplace.closing(await EchoProcess.start());
  await echo.open(workplace.modelFile(STACKED.model));
  const aim = aimTo(gateway.port, 'rest-binary', STACKED);
  const block = { effort, inFlight: STACKED.inFlight };
  const perSecond = await loader.closedRate(aim, block);
  const bare = { echo, aim: aimAt(aim, echo.port, '/echo'), workplace, effort };
  return {
    over: () => loader.closedRate(aim, block),
    under: () => bareRate(bare, perSecond),
  };
}

function aimTo(
  port: number,
  protocol: 'rest-binary' | 'grpc',
  { model, columns }: { readonly model: string; readonly columns: number },
): Aim {
  return inferAim({ port, protocol, model }, [oneRow(INPUT, columns)]);
}
