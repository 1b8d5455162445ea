/**
 * The composition root: the one place where the serving column and the judging column meet, by passing functions. Starts
 * bottom up and stops top down.
 */
import { tmpdir } from 'node:os';
import { openAccessLog, reopening } from './app/access-log.ts';
import { createDeployments, createStatistics } from './app/deployments.ts';
import { type EntranceParts, openEntrances } from './app/entrances.ts';
import { gatewayLimits, TICK_MS } from './app/limits.ts';
import { openModelAsset } from './app/model-asset.ts';
import { openOtel, reporting } from './app/otel.ts';
import { listenAll, type Port } from './app/ports.ts';
import { type Release, releaseAll, releasing } from './app/release.ts';
import { createRolloutDeployer } from './app/rollout-deployer.ts';
import { createOrderedRoutes, createSeam, endTripped } from './app/seam.ts';
import {
  type ControlPlaneOptions,
  createControlPlane,
  createDataPlane,
  createGrpcPlane,
  createMetricsPlane,
  type DataPlaneOptions,
} from './app/servers.ts';
import { createService, type ServiceOptions } from './app/service.ts';
import { openTls, type Tls } from './app/tls.ts';
import { openWebhooks, type WebhookParts } from './app/webhooks.ts';
import type { OtlpVariables } from './config/otlp.ts';
import { programVersion } from './config/program.ts';
import { RunningConfig } from './config/running-config.ts';
import type { Config } from './config/schema.ts';
import { SteadyClock, systemClock } from './core/clock.ts';
import type { Log } from './core/log.ts';
import { freshRandom } from './core/random.ts';
import { decide } from './decide/decide.ts';
import { removeStaleNames, SHARED_MEMORY } from './frame/unnamed-file.ts';
import { createGateway, type Gateway, type GatewayOptions } from './gateway/gateway.ts';
import { isModelReady } from './gateway/is-model-ready.ts';
import type { ModelStatistics } from './gateway/model-statistics.ts';
import { killLiving } from './host/children.ts';
import { ledgerLifetime } from './ledger/ledger-lifetime.ts';
import { openLedger, readSoon } from './ledger/open.ts';
import { Catalog } from './models/catalog.ts';
import {
  ConfigReload,
  type ConfigReloadOptions,
  type ReloadableFile,
} from './models/config-reload.ts';
import type { DeployerOptions } from './models/deployer.ts';
import type { Deployments } from './models/deployments.ts';
import { type FirstChoicesOptions, firstChoices } from './models/first-choices.ts';
import { Lookout, type LookoutOptions } from './models/lookout.ts';
import { ModelControl, type ModelControlOptions } from './models/model-control.ts';
import { OverrideFiles } from './models/override-files.ts';
import { listModels } from './models/read-catalog.ts';
import { Start } from './models/start.ts';
import { StartingModels } from './models/starting-models.ts';
import type { HostWatch } from './models/watch-hosts.ts';
import { collectingLeftovers } from './process/collect-leftovers.ts';
import { memoryLimit } from './process/memory-limit.ts';
import { adjustableLog } from './protocol/adjustable-log.ts';
import { Intake } from './protocol/intake.ts';
import { budgetBytesMax, requestBudget } from './protocol/request-budget.ts';
import type { Folders } from './repository/folders.ts';
import { Reader } from './repository/reader.ts';
import { Readers } from './repository/readers.ts';
import { type Controller, type ControllerOptions, createController } from './rollout/controller.ts';
import type { Routes } from './rollout/reconcile/deployer.ts';
import { reportInternalErrors } from './telemetry/report-internal-errors.ts';
import { reportMirror } from './telemetry/report-mirror.ts';
import { createTelemetry, type Telemetry } from './telemetry/telemetry.ts';
import type { RolloutObservers } from './trials/rollout-observers.ts';

/** Ends all child processes immediately: for a process that is about to end by force. */
export const killChildren = killLiving;

export type AppOptions = {
  readonly config: Config;
  /** The file that `config` was read from, so that it can be read again; without it there is no reload. */
  readonly configFile?: ReloadableFile | undefined;
  readonly log: Log;
  /** Signs feedback tokens; without one, a secret in the ledger's directory does. */
  readonly feedbackSecret: string | undefined;
  /** The secret under which API keys are known; without one, a file beside them has it. */
  readonly keyPepper?: string | undefined;
  /** Variables of the environment that the processes which run models get; by default none. */
  readonly environment?: DeployerOptions['environment'];
  /** The OTEL_* variables, which switch OpenTelemetry on; by default none. */
  readonly otlp?: OtlpVariables | undefined;
  /** Secrets that webhooks are signed with, by the name of their variable; by default none. */
  readonly webhookSecrets?: WebhookParts['webhookSecrets'];
};

export type App = {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly adminPort: number;
  /** Undefined: `server.metrics` is not configured. */
  readonly metricsPort: number | undefined;
  /**
   * Resolves once every model of the repository has been taken up, or cannot be. Rejects where the ledger turns out to be unusable
   * after the ports are open: then no model is ever ready.
   */
  readonly started: Promise<void>;
  /** Reads the configuration again and applies what can be applied while the gateway runs. */
  readonly reload: ConfigReload['reload'];
  /** Takes nothing new, answers what is in flight, and releases everything. */
  readonly close: () => Promise<void>;
  /** What `close` waits for at present, as text. */
  readonly left: () => string;
};

/**
 * Starts a gateway. Resolves when its ports are open: its models are read and loaded after that, see `started`. Rejects, with
 * everything released, if it cannot start.
 */
export async function startApp(options: AppOptions): Promise<App> {
  const release: Release = [];
  await removeStaleNames(SHARED_MEMORY, systemClock);
  try {
    return await build(options, release);
  } catch (error) {
    // Why it could not start matters more than what went wrong on the way back.
    await releaseAll(release).catch(() => undefined);
    throw error;
  }
}

async function build(options: AppOptions, release: Release): Promise<App> {
  const config = new RunningConfig(options.config);
  const [clock, random, steady] = [systemClock, freshRandom(), new SteadyClock(systemClock)];
  const judged = { rollouts: () => controller.list(), ledger: () => controller.ledger() };
  const views = { ...judged, telemetry: () => telemetry };
  const otel = await openOtel({ ...options, ...views }, release);
  const { log, settings } = adjustableLog(otel?.log ?? options.log);
  const tls = await openTls({ config, log, ...views }, release);
  const folders = await listModels(config, log);
  const catalog = new Catalog(config, []);
  const starting = new StartingModels();
  const ledger = reporting(openLedger(config.ledger, steady, log), otel);
  release.push(releasing('the ledger', () => ledger.close()));

  const budget = requestBudget(config.limits, memoryLimit(), log);
  const heldBytes = () => ({ requests: budget.usedBytes, mirror: watch.heldBytes() });
  // Functions, because some of what they ask is made further down: they are not called before all of it is there.
  const telemetry = createTelemetry({
    version: programVersion,
    clock,
    inFlight: () => gateway.inFlight(),
    heldBytes,
    ...judged,
    webhooksWaiting: () => webhooks.waiting(),
    certificates: tls.expiries,
    triton: config.telemetry.tritonMetrics ? () => statistics.list() : undefined,
  });
  const onInternalError = reportInternalErrors(telemetry, log);
  const statistics = createStatistics(catalog);
  const common = { config, catalog, clock, telemetry, statistics, log, onInternalError };
  const traces = otel?.traces;
  const exchanges = openAccessLog({ ...common, random }, release);
  const webhooks = openWebhooks({ ...options, ...common, ...views, random, otel }, release);
  const overrides = new OverrideFiles(tmpdir());
  release.push(releasing('files that callers brought', () => overrides.close()));
  const report: HostWatch['report'] = (tripped) => endTripped(controller, tripped);
  const hosted = { environment: {}, ...options, ...common, report };
  const deployments = createDeployments(hosted, release);

  const ends = { clock: steady, random, deployments, liveInFlight: () => gateway.inFlight() };
  const seam = createSeam({ ...options, ...common, ...ends, traces }, release);
  const { served, watch, observers, order } = seam;
  release.push(releasing('looks at the memory', collectingLeftovers(heldBytes)));
  const gateway = openGateway({
    ...{ ...common, routes: served, hosts: deployments, starting },
    taps: [...watch.taps, ...[traces, exchanges].flatMap((by) => (by ? [by.tap] : []))],
  });
  // No model has a route until the ledger has had its word on it.
  const routes = createOrderedRoutes(order);
  const controller = createController({
    ...{ ledger, clock: steady, random, onInternalError, ...webhooks.controller },
    ...columnsOf({ ...common, routes, deployments, observers }),
    whyStarting: starting.whyStarting,
  });
  const columns = { ...seam, gateway, controller, routes, deployments, starting, tls };
  const rest = { traces: traces?.requests, exchanges, settings, budget, overrides };
  return await open({ ...options, ...common, ...columns, ...rest }, folders, release);
}

type GatewayParts = Pick<
  GatewayOptions,
  'clock' | 'routes' | 'hosts' | 'starting' | 'taps' | 'onInternalError'
> & {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly telemetry: Telemetry;
  readonly statistics: ModelStatistics;
};

function openGateway({ config, catalog, telemetry, statistics, taps, ...parts }: GatewayParts) {
  return createGateway({
    ...parts,
    get readiness() {
      return config.server.readiness;
    },
    taps: [telemetry.tap, statistics.tap, ...taps],
    limits: gatewayLimits(catalog),
    onRefused: telemetry.onRefused,
    onFallback: [telemetry.onFallback, statistics.onFallback],
  });
}

type Opened = Omit<ModelControlOptions, 'starting' | 'retainStatistics' | 'readers'> &
  Omit<LookoutOptions, 'control' | 'readers'> &
  Omit<ServiceOptions, 'repository'> &
  Omit<ControlPlaneOptions, 'lookout' | 'repository' | 'configReload' | 'entrances'> &
  EntranceParts &
  Pick<ConfigReloadOptions, 'config' | 'configFile' | 'deployments'> &
  Pick<DataPlaneOptions, 'observers' | 'budget'> & {
    readonly tls: Tls;
    readonly routes: Routes;
    readonly controller: Controller;
    readonly deployments: Deployments;
    readonly loadSecret: () => Promise<void>;
  };

/** Opens the ports, and only then begins with the models. */
async function open(parts: Opened, folders: Folders, release: Release): Promise<App> {
  const { gateway, controller, deployments, config, loadSecret, log } = parts;
  release.push(releasing('rollouts', () => controller.stop()));
  const loading = controller.load().then(loadSecret);
  const { ledgerRead } = await readSoon(loading, { folder: config.ledger, log });
  const models = openModels(parts, release);
  const start = new Start(folders, {
    ...{ ...parts, ledgerRead },
    openReader: () => new Reader(),
    ledgerLifetime,
    isReady: (model) => isModelReady(gateway, model),
  });
  release.push(releasing('models that start', () => start.stop()));
  // A load that hangs must not delay shutdown; a trial of that candidate resumes in the next process.
  const abandonLoads = async (): Promise<void> => {
    controller.halt();
    deployments.abandonLoads();
  };
  release.push(releasing('what loads', abandonLoads));
  const service = createService({ ...parts, ...models });
  const asset = await openModelAsset({ ...parts, names: folders.names }, release);
  const configReload = openReload({ ...parts, ...models }, release);
  const entrances = await openEntrances(parts, release);
  const planes = { ...parts, ...models, configReload, service, asset, entrances };
  const app = await openServers(planes, release);
  controller.start();
  // A model that comes before is not to be taken up where the ledger may know of it.
  void Promise.resolve(ledgerRead).then(
    () => models.lookout.start(),
    () => undefined,
  );
  const started = startAll(start, { asset, log });
  // A caller that does not wait for it is not ended by it.
  started.catch(() => undefined);
  return { ...app, started };
}

/** What reads the configuration again; the memory for requests follows it. */
function openReload(
  parts: Omit<ConfigReloadOptions, 'onReplaced' | 'onReload' | 'reloadOthers'> &
    Pick<DataPlaneOptions, 'budget'> & { readonly telemetry: Telemetry; readonly tls: Tls },
  release: Release,
): ConfigReload {
  const onReplaced = (config: Config): void =>
    parts.budget.resize(budgetBytesMax(config.limits, memoryLimit()));
  const onReload = parts.telemetry.onConfigReload;
  const reloadOthers = parts.tls.refresh;
  const configReload = new ConfigReload({ ...parts, onReplaced, onReload, reloadOthers });
  release.push(releasing('a reload of the configuration', () => configReload.drained()));
  return configReload;
}

/** What the configuration asks of a package can be checked once that has been read. */
async function startAll(start: Start, { asset, log }: Pick<DataPlaneOptions, 'asset' | 'log'>) {
  await start.run();
  const message = asset?.problem();
  if (message !== undefined) log({ level: 'error', message });
}

/** What loads models by request and looks at the repository again. */
function openModels(
  parts: Omit<ModelControlOptions, 'retainStatistics' | 'readers'> &
    Omit<LookoutOptions, 'control' | 'readers'> & {
      readonly statistics: Pick<ModelStatistics, 'retain'>;
    },
  release: Release,
): { readonly repository: ModelControl; readonly lookout: Lookout } {
  const readers = new Readers();
  const repository = new ModelControl({
    ...{ ...parts, readers },
    retainStatistics: (model, versions) => parts.statistics.retain(model, versions),
  });
  release.push(releasing('loads', () => repository.close()));
  const lookout = new Lookout({ ...parts, readers, control: repository });
  // What hangs on a dead disk must not hold up the end.
  release.push(releasing('what reads the repository', async () => readers.close()));
  release.push(releasing('looks at the repository', async () => lookout.stop()));
  return { repository, lookout };
}

type Columns = FirstChoicesOptions & {
  readonly catalog: Catalog;
  readonly routes: Routes;
  readonly deployments: Deployments;
  readonly observers: RolloutObservers;
};

/** What the controller sees of both columns, and may do to them. */
function columnsOf({ routes, deployments, observers, ...choices }: Columns) {
  const { catalog } = choices;
  return {
    ...firstChoices(choices),
    ...{ routes, decide, tickMs: TICK_MS },
    deployer: createRolloutDeployer({ routes, deployments, observers }),
    evidence: (rolloutId) => observers.evidence(rolloutId),
    mirrorHealth: (rolloutId) => observers.mirrorHealth(rolloutId),
    onMirrorHealth: reportMirror(choices.log),
    anchorState: ({ model, candidate: version }) => deployments.anchorState({ model, version }),
    digestOf: (model, version) => catalog.find({ model, version })?.digest,
    weightsOf: (model, version) => catalog.find({ model, version })?.inspected.weights,
    whyNotComparable: (spec) => observers.whyNotComparable(spec),
  } satisfies Partial<ControllerOptions>;
}

/** Opens all ports and closes the list of what has to be released. */
async function openServers(
  parts: Omit<DataPlaneOptions, 'intake'> & ControlPlaneOptions,
  release: Release,
): Promise<Omit<App, 'started'>> {
  const { http, grpc, admin } = parts.config.server;
  const planes = { ...parts, intake: new Intake(parts.service.clock) };
  const protocols: readonly Port[] = [
    { key: 'server.http', address: http, server: createDataPlane(planes) },
    { key: 'server.grpc', address: grpc, server: createGrpcPlane(planes) },
  ];
  release.push(
    releasing('connections', () => Promise.all(protocols.map(({ server }) => server.close()))),
  );
  release.push(releasing('requests in flight', () => parts.gateway.drain()));
  const [httpPort = 0, grpcPort = 0] = await listenAll(protocols);
  const controlPlane = createControlPlane(parts);
  release.push(releasing('the admin server', () => controlPlane.close()));
  const [adminPort = 0] = await listenAll([
    { key: 'server.admin', address: admin, server: controlPlane },
  ]);
  const metricsPort = await openMetricsPort(parts, release);
  const reload = reopening(parts.configReload.reload, parts.exchanges);
  return { httpPort, grpcPort, adminPort, metricsPort, reload, ...closing(parts.gateway, release) };
}

async function openMetricsPort(
  parts: Pick<ControlPlaneOptions, 'telemetry'> & Pick<DataPlaneOptions, 'config' | 'tls'>,
  release: Release,
): Promise<number | undefined> {
  const address = parts.config.server.metrics;
  if (address === undefined) return undefined;
  const server = createMetricsPlane(parts);
  release.push(releasing('the metrics server', () => server.close()));
  const [port] = await listenAll([{ key: 'server.metrics', address, server }]);
  return port;
}

function closing(gateway: Gateway, release: Release): Pick<App, 'close' | 'left'> {
  let released: Promise<void> | undefined;
  let current = 'nothing';
  return {
    close: () => {
      released ??= releaseAll(release, (what) => {
        current = what;
      });
      return released;
    },
    left: () => `${current} (${gateway.inFlight()} requests in flight)`,
  };
}
