/**
 * The composition root: the one place where the serving column and the judging column meet, by passing functions. Starts
 * bottom up and stops top down.
 */
import { randomBytes } from 'node:crypto';
import type { Catalog } from './app/catalog.ts';
import { initialRoutes } from './app/initial-routes.ts';
import { Judges } from './app/judges.ts';
import { overruledRoutes } from './app/overruled-routes.ts';
import { Placement, type PlacementOptions } from './app/placement.ts';
import { readCatalog } from './app/read-catalog.ts';
import { type Release, releaseAll } from './app/release.ts';
import { Residence } from './app/residence.ts';
import {
  type ControlPlaneOptions,
  createControlPlane,
  createDataPlane,
  type DataPlaneOptions,
} from './app/servers.ts';
import { servingFacts } from './app/serving-facts.ts';
import { createStage } from './app/stage.ts';
import { type HostWatch, reportInternalErrors, watchHosts } from './app/watch-hosts.ts';
import { programVersion } from './config/program.ts';
import type { Address } from './config/quantities.ts';
import { type Config, modelConfig } from './config/schema.ts';
import { systemClock } from './core/clock.ts';
import { messageOf } from './core/errors.ts';
import type { Log } from './core/log.ts';
import { freshRandom } from './core/random.ts';
import type { BreakerTrip } from './core/rollout.ts';
import type { ModelVersion } from './core/version.ts';
import { decide } from './decide/decide.ts';
import { createGateway, type GatewayLimits } from './gateway/gateway.ts';
import { createRouteTable, type RouteTable } from './gateway/route-table.ts';
import type { ServingFacts } from './gateway/version-names.ts';
import { openFileLedger } from './ledger/file.ts';
import type { Ledger } from './ledger/ledger.ts';
import { type Controller, createController } from './rollout/controller.ts';
import type { Routes } from './rollout/stage.ts';
import { createTelemetry } from './telemetry/telemetry.ts';

export type AppOptions = {
  readonly config: Config;
  readonly log: Log;
  /** Signs feedback tokens; without one, tokens end with this process. */
  readonly feedbackSecret: string | undefined;
};

export type App = {
  readonly httpPort: number;
  readonly adminPort: number;
  /** Takes nothing new, answers what is in flight, and releases everything. */
  readonly close: () => Promise<void>;
};

/** Requests whose callers wait at one time, over all models: some hundred MB of small requests at most. */
const IN_FLIGHT_MAX = 4_096;

/** How often rollouts are looked at. A decision costs a few milliseconds; people wait longer than this to read it. */
const TICK_MS = 250;

/** Starts a gateway. Resolves when it answers; rejects, with everything released, if it cannot start. */
export async function startApp(options: AppOptions): Promise<App> {
  const release: Release = [];
  try {
    return await build(options, release);
  } catch (error) {
    // Why it could not start matters more than what went wrong on the way back.
    await releaseAll(release).catch(() => undefined);
    throw error;
  }
}

async function build({ config, log, feedbackSecret }: AppOptions, release: Release): Promise<App> {
  const [clock, random] = [systemClock, freshRandom()];
  const catalog = await readCatalog(config, log);
  const routes = createRouteTable(initialRoutes(config, catalog));
  const ledger = await openLedger(config, log);
  release.push(() => ledger.close());

  // Functions, because some of what they ask is made further down: nobody calls them before all of it is there.
  const telemetry = createTelemetry({
    version: programVersion,
    clock,
    inFlight: () => gateway.inFlight(),
    rollouts: () => controller.list(),
  });
  const onInternalError = reportInternalErrors(telemetry, log);
  const common = { config, catalog, clock, telemetry, log, onInternalError };
  const residence = createResidence({
    ...common,
    trip: (target, trip) => tripTrial(controller, target, trip),
  });
  release.push(() => residence.close());

  const judges = new Judges({
    ...common,
    random,
    secret: feedbackSecret === undefined ? randomBytes(32) : Buffer.from(feedbackSecret),
    readMirror: (model) => routes.read(model)?.mirror,
    lane: (model, version) => residence.lane(model, version),
    liveInFlight: () => gateway.inFlight(),
    onMirror: telemetry.onMirror,
  });
  release.push(() => judges.drain());

  const gateway = createGateway({
    clock,
    routes,
    hosts: residence,
    taps: [telemetry.tap, ...judges.taps],
    limits: gatewayLimits(config),
    onRefused: telemetry.onRefused,
    onFallback: telemetry.onFallback,
    onInternalError,
  });
  const controller = createController({
    ledger,
    clock,
    random,
    routes: settlingRoutes(routes, residence),
    stage: createStage({ routes, residence, judges }),
    decide,
    evidence: (rolloutId) => judges.evidence(rolloutId),
    digestOf: (model, version) => catalog.find({ model, version })?.digest,
    whyNotComparable: (spec) => judges.whyNotComparable(spec),
    tickMs: TICK_MS,
    onInternalError,
  });
  release.push(() => controller.stop());
  await takeUp(controller, { ...common, routes });
  return await openServers({ ...common, gateway, judges, controller }, release);
}

type Resumption = Pick<AppOptions, 'config' | 'log'> & {
  readonly catalog: Catalog;
  readonly routes: RouteTable;
};

/** Goes on where the ledger says, and tells what of the configuration that overrules. */
async function takeUp(
  controller: Controller,
  { config, catalog, routes, log }: Resumption,
): Promise<void> {
  await controller.resume();
  for (const message of overruledRoutes(config, catalog, routes)) log({ level: 'warn', message });
  controller.start();
}

type ResidenceParts = Omit<PlacementOptions, 'listeners'> & HostWatch;

/** Everything that runs models, watched. */
function createResidence({ config, catalog, clock, ...watch }: ResidenceParts): Residence {
  const placement = new Placement({ config, catalog, clock, listeners: watchHosts(watch) });
  const facts = (model: string): ServingFacts => servingFacts(config, model);
  return new Residence({ catalog, facts, placement, onInternalError: watch.onInternalError });
}

/** Ends the trial of a version; a version that is not on trial may die without that. */
function tripTrial(controller: Controller, target: ModelVersion, trip: BreakerTrip): void {
  const { model, version } = target;
  if (controller.status(model)?.candidate === version) void controller.trip(model, trip);
}

/** Opens both ports and closes the list of what has to be released. */
async function openServers(
  parts: DataPlaneOptions & ControlPlaneOptions,
  release: Release,
): Promise<App> {
  const { config, gateway } = parts;
  const { http, admin } = config.server;
  const dataPlane = createDataPlane(parts);
  release.push(() => dataPlane.close());
  release.push(() => gateway.drain());
  const { port: httpPort } = await listen(dataPlane, 'server.http', http);
  const controlPlane = createControlPlane(parts);
  release.push(() => controlPlane.close());
  const { port: adminPort } = await listen(controlPlane, 'server.admin', admin);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= releaseAll(release);
    return closing;
  };
  return { httpPort, adminPort, close };
}

/** Names the key of the configuration that says where to listen, if nobody can listen there. */
async function listen(
  server: { listen(host: string, port: number): Promise<{ port: number }> },
  key: string,
  { host, port }: Address,
): Promise<{ port: number }> {
  return await server.listen(host, port).catch((cause: unknown) => {
    throw new Error(`${key}: expected an address that is free: ${messageOf(cause)}`, { cause });
  });
}

async function openLedger(config: Config, log: Log): Promise<Ledger> {
  const onRepair = ({ message, file }: { message: string; file: string }): void =>
    log({ level: 'warn', message, facts: { file } });
  return await openFileLedger(config.ledger, { clock: systemClock, onRepair }).catch(
    (cause: unknown) => {
      throw new Error(`ledger: cannot be opened in ${config.ledger}: ${messageOf(cause)}`, {
        cause,
      });
    },
  );
}

function gatewayLimits(config: Config): GatewayLimits {
  return {
    inFlightMax: IN_FLIGHT_MAX,
    rowsMax: (model) => modelConfig(config, model).batch.rowsMax,
  };
}

/** Routes whose every change is followed by closing what no route leads to any more. */
function settlingRoutes(routes: RouteTable, residence: Residence): Routes {
  return {
    read: routes.read,
    list: routes.list,
    write: (route) => {
      routes.write(route);
      residence.settle(route);
    },
  };
}
