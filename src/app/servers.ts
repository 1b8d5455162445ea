import { join } from 'node:path';
import type { LabelQueue } from '../capture/label-queue.ts';
import { programFolder } from '../config/program.ts';
import type { Config } from '../config/schema.ts';
import { type AdminServer, createAdminServer } from '../console/admin.ts';
import { createMetricsServer, type MetricsServer } from '../console/metrics-server.ts';
import { systemClock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Examples } from '../examples/examples.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { ConfigReload } from '../models/config-reload.ts';
import type { Lookout } from '../models/lookout.ts';
import type { ModelControl } from '../models/model-control.ts';
import { type ModelsViewOptions, modelsView } from '../models/models-view.ts';
import { rolloutSpecOf } from '../models/rollout-spec-of.ts';
import { connectionsFitting } from '../process/descriptors.ts';
import { Connections } from '../protocol/connections.ts';
import { createGrpcServer, type GrpcServer } from '../protocol/grpc/server.ts';
import type { Intake } from '../protocol/intake.ts';
import { addModelAssetRoutes } from '../protocol/max/routes.ts';
import type { MemoryBudget } from '../protocol/memory-budget.ts';
import { boundConnections } from '../protocol/rest/bound-connections.ts';
import { boundPipelines } from '../protocol/rest/bound-pipelines.ts';
import type { Feedback } from '../protocol/rest/feedback-route.ts';
import { createRestServer, type RestServer } from '../protocol/rest/server.ts';
import type { Service } from '../protocol/service.ts';
import type { Controller } from '../rollout/controller.ts';
import { sharedPages } from '../telemetry/shared-pages.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { certificateOf } from '../tls/client-certificate.ts';
import type { RolloutObservers } from '../trials/rollout-observers.ts';
import type { OpenAccessLog } from './access-log.ts';
import type { Entrances } from './entrances.ts';
import { type CallerOf, watchHttpExchanges } from './http-exchanges.ts';
import { ADMIN_CONNECTIONS_MAX, GRPC_LIMITS, MESSAGE_SLACK_BYTES, REST_LIMITS } from './limits.ts';
import type { ModelAsset } from './model-asset.ts';
import { sessionRecords } from './session-records.ts';
import type { Tls } from './tls.ts';

type LabelTakers = Pick<RolloutObservers, 'label' | 'labelById'>;

export type DataPlaneOptions = {
  readonly config: Config;
  readonly service: Service;
  /** What requests of both protocols may hold together. */
  readonly budget: MemoryBudget;
  /** Whose turn it is to bring a large request, over both protocols. */
  readonly intake: Intake;
  readonly observers: LabelTakers;
  readonly log: Log;
  readonly entrances: Entrances;
  /** Undefined: requests are not logged. */
  readonly exchanges?: OpenAccessLog | undefined;
  /** Served in addition to the protocol's own routes; undefined: nothing. */
  readonly asset: ModelAsset | undefined;
  readonly tls: Pick<Tls, 'secure'>;
};

/** The data plane over HTTP. */
export function createDataPlane({
  config,
  entrances,
  service: common,
  budget,
  intake,
  log,
  observers,
  asset,
  exchanges,
  tls,
}: DataPlaneOptions): RestServer {
  const { bodyBytesMax, headersBytesMax } = config.limits;
  const service = { ...common, entrance: entrances.http };
  const server = createRestServer({
    service,
    allowedHosts: config.server.allowedHosts,
    budget,
    intake,
    certificateOf: ({ socket }) => certificateOf(socket),
    feedback: labelling(observers),
    limits: {
      ...REST_LIMITS,
      connectionsMax: connectionsFitting(config.server.connectionsMax, log),
      bodyBytesMax,
      headerBytesMax: headersBytesMax,
    },
  });
  const { app, ...parts } = server;
  const callerOf: CallerOf = ({ raw }) => parts.door.askerOf(raw).caller?.name;
  if (exchanges) watchHttpExchanges(app, { ...service, plane: 'http', exchanges, callerOf });
  if (asset !== undefined) addModelAssetRoutes(app, { ...asset, service, bodyBytesMax, ...parts });
  tls.secure('http', app.server);
  return server;
}

/** Takes a label by the token of an answer, or by the id of a request. */
function labelling(observers: LabelTakers): Feedback {
  return (target, label, source) =>
    'token' in target
      ? observers.label(target.token, label, source)
      : observers.labelById(target, label, source);
}

/** The data plane over gRPC. */
export function createGrpcPlane({
  config,
  entrances,
  service,
  budget,
  intake,
  tls,
}: Pick<
  DataPlaneOptions,
  'config' | 'entrances' | 'service' | 'budget' | 'intake' | 'tls'
>): GrpcServer {
  const messageBytesMax = config.limits.bodyBytesMax + MESSAGE_SLACK_BYTES;
  return createGrpcServer({
    service: { ...service, entrance: entrances.grpc },
    allowedHosts: config.server.allowedHosts,
    budget,
    intake,
    limits: {
      ...GRPC_LIMITS,
      headerBytesMax: config.limits.headersBytesMax,
      connectionsMax: connectionsFitting(config.server.connectionsMax, () => undefined),
      messageBytesMax,
    },
    protosFolder: join(programFolder, 'protos'),
    certificateOf,
    secure: (server) => tls.secure('grpc', server),
  });
}

export type ControlPlaneOptions = ModelsViewOptions & {
  readonly exchanges?: OpenAccessLog | undefined;
  readonly tls: Pick<Tls, 'secure'>;
  readonly lookout: Pick<Lookout, 'lookAll' | 'lookAt'>;
  readonly repository: Pick<ModelControl, 'reload'>;
  readonly configReload: ConfigReload;
  readonly entrances: Entrances;
  readonly gateway: Gateway;
  readonly controller: Controller;
  readonly telemetry: Telemetry;
  readonly observers: LabelTakers;
  readonly examples: Pick<Examples, 'of'>;
  readonly labelQueue: Pick<LabelQueue, 'next'>;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** The port for scrapers alone. */
export function createMetricsPlane({
  telemetry,
  tls,
}: {
  readonly telemetry: Pick<Telemetry, 'page'>;
  readonly tls: Pick<Tls, 'secure'>;
}): MetricsServer {
  const server = createMetricsServer(sharedPages(telemetry.page, systemClock));
  boundPipelines(server.app.server);
  const connections = new Connections(ADMIN_CONNECTIONS_MAX, systemClock);
  boundConnections(server.app.server, connections, `${ADMIN_CONNECTIONS_MAX}`);
  tls.secure('metrics', server.app.server);
  return server;
}

/** The admin server. */
export function createControlPlane(options: ControlPlaneOptions): AdminServer {
  const { gateway, controller, telemetry, lookout, repository, configReload, observers } = options;
  const { onInternalError } = options;
  const take = labelling(observers);
  const server = createAdminServer({
    entrance: options.entrances.admin,
    sessions: options.entrances.sessions,
    certificateOf: ({ socket }) => certificateOf(socket),
    onSessionRefused: (reason) => telemetry.onCallerRefused('admin', reason),
    onSession: sessionRecords({ clock: systemClock, controller }),
    controller,
    ledger: () => controller.ledger(),
    whyStarting: options.starting.whyStarting,
    specFrom: (model, body) => rolloutSpecOf(options, model, body),
    lookAt: (model, versions) => lookout.lookAt(model, versions),
    requestsPerSecond: telemetry.requestsPerSecond,
    models: async () => {
      const isFresh = await lookout.lookAll();
      return { isFresh, models: modelsView(options) };
    },
    reload: async (model) => {
      await repository.reload(model);
      return modelsView(options).find((each) => each.model === model);
    },
    label: ({ target, label, source }) => take(target, label, source),
    examples: {
      of: (model) => options.examples.of(model),
      setting: (model) => options.catalog.settings(model).examples,
      onForgotten: ({ by, ...forgotten }) =>
        void controller.note({ kind: 'access', what: 'examplesForgotten', ...by, ...forgotten }),
    },
    nextLabels: (asked) => options.labelQueue.next(asked),
    reloadConfig: (request) => configReload.reload({ ...request, actor: 'admin' }),
    metrics: telemetry.page,
    ready: () => gateway.serverReadiness().ready,
    onInternalError,
  });
  const { exchanges } = options;
  const callerOf: CallerOf = (request) => server.askerOf(request).caller?.name;
  if (exchanges)
    watchHttpExchanges(server.app, { clock: systemClock, plane: 'admin', exchanges, callerOf });
  const connections = new Connections(ADMIN_CONNECTIONS_MAX, systemClock);
  boundConnections(server.app.server, connections, `${ADMIN_CONNECTIONS_MAX}`);
  options.tls.secure('admin', server.app.server);
  return server;
}
