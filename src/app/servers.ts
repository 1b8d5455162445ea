import { parseRolloutRequest, rolloutSpecFrom } from '../config/rollout-spec.ts';
import { type Config, modelConfig } from '../config/schema.ts';
import { type AdminServer, createAdminServer } from '../console/admin.ts';
import type { Clock } from '../core/clock.ts';
import type { RolloutSpec } from '../core/rollout.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { createRestServer, type RestServer } from '../protocol/rest/server.ts';
import type { Controller } from '../rollout/controller.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Catalog } from './catalog.ts';
import type { Judges } from './judges.ts';
import { createService } from './service.ts';

export type DataPlaneOptions = {
  readonly config: Config;
  readonly clock: Clock;
  readonly gateway: Gateway;
  readonly judges: Judges;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** What one HTTP request may cost beyond the configured sizes. */
const REST_LIMITS = {
  tensorsMax: 1_024,
  jsonDepthMax: 100,
  jsonElementsMax: 16_777_216,
  receiveMsMax: 60_000,
  sendMsMax: 60_000,
  lingerMsMax: 5_000,
} as const;

/** The server that people's requests come to. */
export function createDataPlane(options: DataPlaneOptions): RestServer {
  const { config, judges } = options;
  const { bodyBytesMax, headersBytesMax } = config.limits;
  return createRestServer({
    service: createService(options),
    feedback: (token, label) => judges.label(token, label),
    limits: { ...REST_LIMITS, bodyBytesMax, headerBytesMax: headersBytesMax },
  });
}

export type ControlPlaneOptions = {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly gateway: Gateway;
  readonly controller: Controller;
  readonly telemetry: Telemetry;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** The server that the people who run the gateway talk to. */
export function createControlPlane(options: ControlPlaneOptions): AdminServer {
  const { config, catalog, gateway, controller, telemetry, onInternalError } = options;
  return createAdminServer({
    controller,
    specFrom: (model, body) => specFrom({ config, controller }, model, body),
    requestsPerSecond: telemetry.requestsPerSecond,
    models: () => catalog.models().map((model) => modelView(catalog, model)),
    metrics: telemetry,
    ready: () => gateway.serverReadiness().ready,
    onInternalError,
  });
}

/** The request's keys, completed from the configuration; the model's present stable version is what it is tried against. */
function specFrom(
  { config, controller }: Pick<ControlPlaneOptions, 'config' | 'controller'>,
  model: string,
  body: unknown,
): Omit<RolloutSpec, 'salt'> {
  const { candidate, overrides } = parseRolloutRequest(body);
  const { rollout, identity } = modelConfig(config, model);
  // An unknown model has no stable version; the controller refuses it by name.
  const stable = controller.route(model)?.stable ?? '';
  const attributes = Object.keys(identity.attributes);
  return rolloutSpecFrom(rollout, { model, stable, candidate, overrides, attributes });
}

function modelView(catalog: Catalog, model: string) {
  const versions = catalog.versions(model).map(({ version, digest, bytes, task, licence }) => ({
    version,
    digest,
    bytes,
    task,
    licence,
  }));
  return { model, versions };
}
