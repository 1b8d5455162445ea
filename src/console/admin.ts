import type { IncomingMessage } from 'node:http';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import {
  parseAnchor,
  parseExtension,
  parseLabel,
  parseModel,
  parseRate,
  parseReason,
  parseReloadConfig,
  parseRouteRequest,
  parseUndo,
  type ReloadConfigRequest,
} from '../config/admin-request.ts';
import { ServeError } from '../core/errors.ts';
import type { LabelSource, LabelTarget } from '../core/label-source.ts';
import { answerOfState, type LabelState } from '../core/label-state.ts';
import { type Refusal, refused } from '../core/refusal.ts';
import type { CommandBy, RolloutSpec } from '../core/rollout.ts';
import { versionsLedTo } from '../core/route.ts';
import { PATH_NAME_LENGTH_MAX } from '../core/version.ts';
import {
  checkOneHost,
  checkOrigin,
  isAllowedHost,
  isLoopbackAddress,
  isLoopbackHost,
} from '../core/web-caller.ts';
import type { LedgerHealth } from '../ledger/ledger.ts';
import type { CommandResult, Submission } from '../rollout/commands/command.ts';
import type { Controller } from '../rollout/controller.ts';
import { type Plan, planOf } from '../rollout/plan/plan.ts';
import {
  ADMIN,
  AdminDoor,
  type AdminDoorOptions,
  LABEL,
  OPEN,
  OPERATE,
  OPERATE_ANY,
  VIEW,
  VIEW_ALL,
  VIEW_ANY,
} from './admin-door.ts';
import { adminErrorOf, adminErrorOfRefusal } from './admin-error.ts';
import { addEvidenceRoutes } from './evidence-routes.ts';
import { addExampleRoutes, type KeptExamples } from './example-routes.ts';
import { parseJsonBody } from './json-body.ts';
import { addLabelRoutes, type NextLabels } from './label-routes.ts';
import type { MetricsPage } from './metrics-server.ts';
import { addRolloutViews } from './rollout-views.ts';
import { addSessionRoutes, type SessionRoutesOptions } from './session-routes.ts';

export type AdminOptions = AdminDoorOptions &
  SessionRoutesOptions & {
    readonly controller: Pick<
      Controller,
      | 'submit'
      | 'status'
      | 'detailedStatus'
      | 'exportEvidence'
      | 'list'
      | 'history'
      | 'route'
      | 'isFenced'
      | 'counted'
    >;
    /** Why a model has no route yet that is still being read; undefined: there is none of that name. By default none is. */
    readonly whyStarting?: (model: string) => string | undefined;
    /**
     * Checks the body of a request to start a rollout and completes it. Rejects with ServeError `invalid_input`, or `conflict` where
     * the files of a version changed since they were read.
     */
    readonly specFrom: (model: string, body: unknown) => Promise<Omit<RolloutSpec, 'salt'>>;
    /** Looks whether these versions of a model are in the repository by now. */
    readonly lookAt: (model: string, versions: readonly string[]) => Promise<void>;
    /** What a model gets at present; undefined: not known. */
    readonly requestsPerSecond: (model: string) => number | undefined;
    /** The models and their versions, as JSON; looks at the repository first. */
    readonly models: () => Promise<{ readonly models: readonly { readonly model: string }[] }>;
    /** Reloads a model's folder and resolves with the model as it is then. Rejects with a ServeError. */
    readonly reload: (model: string) => Promise<unknown>;
    /** Takes a label of a live answer and says what became of it. Throws ServeError `invalid_input`. */
    readonly label: (labelled: {
      readonly target: LabelTarget;
      readonly label: unknown;
      readonly source: LabelSource;
    }) => LabelState;
    /** Hands out labels that are wanted; by default none is. */
    readonly nextLabels?: NextLabels;
    /** Reads the configuration file again and applies it. Rejects with a ServeError. */
    readonly reloadConfig: (
      request: ReloadConfigRequest & { readonly by: CommandBy },
    ) => Promise<object | Refusal>;
    /** Compared requests that are kept; undefined: none are. */
    readonly examples?: KeptExamples | undefined;
    /** Prometheus text. */
    readonly metrics: MetricsPage;
    /** Whether the ledger takes records, and how many ends of rollouts wait for that. */
    readonly ledger: () => LedgerHealth & { readonly unrecorded: number };
    /** True while live requests can be answered. */
    readonly ready: () => boolean;
    readonly onInternalError: (operation: string, error: unknown) => void;
    readonly bodyBytesMax?: number;
    /** How long a request may take to arrive in whole; by default 10 s. */
    readonly receiveMsMax?: number;
  };

export type AdminServer = {
  /** Port 0 takes a free one. Give a loopback address, unless something in front of it asks who is there. */
  readonly listen: (host: string, port: number) => Promise<{ readonly port: number }>;
  readonly close: () => Promise<void>;
  /** The server itself, for tests that need no socket. */
  readonly app: FastifyInstance;
  /** Who sent a request that was let in. Throws for another. */
  readonly askerOf: AdminDoor['askerOf'];
};

const BODY_BYTES_MAX = 64 * 1024;
const RECEIVE_MS_MAX = 10_000;
const RECEIVE_CHECK_MS = 1_000;

/**
 * The admin API: rollouts, routes, metrics. JSON both ways; every refusal answers `{ error, code }`. Without an
 * entrance it asks no caller who it is, and belongs on loopback. There it answers only to the names of loopback: a web page that points a
 * name of its own at this machine gets nothing, and neither does one of another origin.
 */
export function createAdminServer(options: AdminOptions): AdminServer {
  const { controller, receiveMsMax = RECEIVE_MS_MAX } = options;
  const door = new AdminDoor(options);
  const app = fastify({
    logger: false,
    bodyLimit: options.bodyBytesMax ?? BODY_BYTES_MAX,
    requestTimeout: receiveMsMax,
    http: {
      // Node takes the longer of the two for the whole request, whichever it is, and by itself looks every 30 s.
      headersTimeout: receiveMsMax,
      connectionsCheckingInterval: Math.min(RECEIVE_CHECK_MS, receiveMsMax),
    },
    forceCloseConnections: true,
    routerOptions: { maxParamLength: PATH_NAME_LENGTH_MAX },
    // What is refused before there is a route, such as a path that cannot be decoded, is refused as everything else is.
    frameworkErrors: (error, _, reply) => answerError(error, reply, options),
  });
  // A caller that sends all and shuts down its sending half still reads: Node would hang up on it.
  Object.assign(app.server, { httpAllowHalfOpen: true });
  // Only JSON: the kinds of body that a form on a web page can send are refused.
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_: FastifyRequest, text: string | Buffer) => parseJsonBody(String(text)),
  );
  let isLoopback = true;
  app.addHook('onRequest', async ({ raw }) => checkCaller(raw, isLoopback));
  answerErrors(app, options);
  door.watch(app);
  addOverviews(app, options, door);
  addRollouts(app, options, door);
  const views = {
    controller,
    askerOf: door.askerOf,
    checkModel: (model: string): void => checkModel(model, options),
    whyUnread: () => whyUnread(options),
  };
  addRolloutViews(app, views);
  addEvidenceRoutes(app, views);
  addExampleRoutes(app, {
    ...{ checkModel: views.checkModel, byOf: door.byOf, examples: options.examples },
    latestRollout: (model) => controller.status(model)?.id,
  });
  addRoutes(app, options, door);
  addConfig(app, options, door);
  addSessionRoutes(app, options);
  addLabelRoutes(app, { ...options, door, checkModel: views.checkModel });
  return {
    listen: async (host, port) => {
      isLoopback = isLoopbackAddress(host);
      await app.listen({ host, port });
      const address = app.server.address();
      return { port: typeof address === 'object' && address !== null ? address.port : port };
    },
    close: () => app.close(),
    app,
    askerOf: door.askerOf,
  };
}

function answerError(error: unknown, reply: FastifyReply, { onInternalError }: AdminOptions) {
  const { status, body, headers } = adminErrorOf(error);
  // A refusal with 503, because it is too early for instance, is no fault.
  if (status >= 500 && !(error instanceof ServeError)) onInternalError('admin', error);
  return reply.code(status).headers(headers).send(body);
}

function answerErrors(app: FastifyInstance, options: AdminOptions): void {
  app.setErrorHandler((error, _, reply) => answerError(error, reply, options));
  app.setNotFoundHandler((request, reply) => {
    const error = `no ${request.method} ${request.url} here`;
    return reply.code(404).send({ error, code: 'not_found' });
  });
}

function addOverviews(app: FastifyInstance, options: AdminOptions, door: AdminDoor): void {
  const { controller, ledger, metrics, models, label, reload, ready } = options;
  app.get('/healthz', OPEN, async (_, reply) => {
    const isReady = ready();
    const { kind: state, ...why } = ledger();
    return reply
      .code(isReady ? 200 : 503)
      .send({ ready: isReady, fenced: controller.isFenced(), ledger: { state, ...why } });
  });
  app.get('/metrics', VIEW_ALL, async ({ headers }, reply) => {
    const { contentType, text } = await metrics(headers.accept);
    return reply.type(contentType).send(text);
  });
  app.get('/api/v1/models', VIEW_ANY, async (request) => {
    const asker = door.askerOf(request);
    const found = await models();
    return { ...found, models: found.models.filter(({ model }) => asker.may('view', model)) };
  });
  app.post<OfModel>('/api/v1/models/:model/reload', OPERATE, ({ params: { model } }) =>
    reload(model),
  );
  app.post<OfModel>('/api/v1/models/:model/labels', LABEL, async (request, reply) => {
    const { address } = door.byOf(request);
    const source: LabelSource = { plane: 'admin', address, asker: door.askerOf(request) };
    const state = label({ ...parseLabel(request.body, request.params.model), source });
    return reply.code(state === 'waiting' ? 202 : 200).send(answerOfState(state));
  });
}

type Start = { readonly model: string; readonly body: unknown };
type OfModel = { readonly Params: { readonly model: string } };

function addRollouts(app: FastifyInstance, options: AdminOptions, door: AdminDoor): void {
  const { controller } = options;
  const submit = async (submission: Submission, reply: FastifyReply): Promise<FastifyReply> => {
    return sendResult(reply, await controller.submit(submission));
  };
  /** The answer includes the plan: the requests and hours of the trial if the candidate is as good as stable. */
  const start = async (request: FastifyRequest, { model, body }: Start, reply: FastifyReply) => {
    const { spec, plan } = await planned(request, { model, body }, options);
    const result = await controller.submit({ kind: 'start', spec, by: door.byOf(request) });
    if (result.kind === 'refused') return sendResult(reply, result);
    // It is being loaded, and may yet fail to: who asked has to look.
    return reply.code(202).send({ ...appliedBody(result), phase: 'loading', plan });
  };
  app.post('/api/v1/rollouts', OPERATE_ANY, async (request, reply) => {
    const { model, rest } = parseModel(request.body);
    door.askerOf(request).check('operate', model);
    return start(request, { model, body: rest }, reply);
  });

  const path = '/api/v1/models/:model/rollout';
  app.get<OfModel>(path, VIEW, async ({ params: { model } }, reply) => {
    const status = await controller.detailedStatus(model);
    if (status !== undefined) return status;
    checkModel(model, options);
    return sendResult(reply, refused('no_rollout', `no rollout of ${model} yet`));
  });
  app.post<OfModel>(path, OPERATE, async (request, reply) => {
    return start(request, { model: request.params.model, body: request.body }, reply);
  });
  app.post<OfModel>(`${path}/plan`, VIEW, async (request) => {
    const asked = { model: request.params.model, body: request.body };
    return (await planned(request, asked, options)).plan;
  });
  for (const kind of ['promote', 'abort', 'pause', 'resume'] as const) {
    app.post<OfModel>(`${path}/${kind}`, OPERATE, async (request, reply) => {
      const { model } = request.params;
      const reason = parseReason(request.body);
      return submit({ kind, model, reason, by: door.byOf(request) }, reply);
    });
  }
  app.post<OfModel>(`${path}/undo`, OPERATE, async (request, reply) => {
    const { model } = request.params;
    return submit(
      { kind: 'undo', model, ...parseUndo(request.body), by: door.byOf(request) },
      reply,
    );
  });
  app.post<OfModel>(`${path}/extend`, OPERATE, async (request, reply) => {
    const { model } = request.params;
    const asked = parseExtension(request.body);
    return submit({ kind: 'extend', model, ...asked, by: door.byOf(request) }, reply);
  });
  app.post<OfModel>(`${path}/anchor`, OPERATE, async (request, reply) => {
    const { model } = request.params;
    const asked = parseAnchor(request.body);
    await options.lookAt(model, [asked.version]);
    return submit({ kind: 'setAnchor', model, ...asked, by: door.byOf(request) }, reply);
  });
}

/** What is asked for, whole, and what it would take if it began now. */
async function planned(
  request: FastifyRequest,
  { model, body }: Start,
  { controller, specFrom, requestsPerSecond }: AdminOptions,
): Promise<{ readonly spec: Omit<RolloutSpec, 'salt'>; readonly plan: Plan }> {
  const spec = await specFrom(model, body);
  const rate = parseRate(request.query) ?? requestsPerSecond(model);
  return { spec, plan: planOf(controller.counted(spec), { requestsPerSecond: rate }) };
}

function addRoutes(app: FastifyInstance, options: AdminOptions, door: AdminDoor): void {
  const { controller, lookAt } = options;
  const path = '/api/v1/models/:model/route';
  app.get<OfModel>(path, VIEW, async ({ params: { model } }) => {
    const route = controller.route(model);
    if (route === undefined) throw noModel(model, options);
    return route;
  });
  app.put<OfModel>(path, OPERATE, async (request: FastifyRequest<OfModel>, reply) => {
    const { model } = request.params;
    const asked = parseRouteRequest(request.body);
    await lookAt(model, versionsLedTo(asked));
    const command = { kind: 'setRoute', model, ...asked, by: door.byOf(request) } as const;
    return sendResult(reply, await controller.submit(command));
  });
}

function addConfig(app: FastifyInstance, { reloadConfig }: AdminOptions, door: AdminDoor): void {
  app.post('/api/v1/config/reload', ADMIN, async (request, reply) => {
    const asked = parseReloadConfig(request.body);
    const result = await reloadConfig({ ...asked, by: door.byOf(request) });
    return isRefusal(result) ? sendResult(reply, result) : result;
  });
}

function isRefusal(result: object | Refusal): result is Refusal {
  return 'kind' in result && result.kind === 'refused';
}

function sendResult(reply: FastifyReply, result: CommandResult): FastifyReply {
  if (result.kind === 'applied') {
    return reply.send(appliedBody(result));
  }
  const { status, body } = adminErrorOfRefusal(result);
  return reply.code(status).send(body);
}

/** Refuses what only a web page of another origin, or under another name, would send. */
function checkCaller({ headers, rawHeaders }: IncomingMessage, isLoopback: boolean): void {
  checkOneHost(rawHeaders);
  const { host } = headers;
  if (isLoopback && !isLoopbackHost(host)) {
    throw new ServeError(
      'host_not_allowed',
      `unexpected host: expected localhost or a loopback address, found ${JSON.stringify(host)}`,
    );
  }
  checkOrigin(headers, isAllowedHost(host, { allowed: [], isLoopback }));
}

function appliedBody(result: Extract<CommandResult, { kind: 'applied' }>): object {
  const { rolloutId, revision, notYet } = result;
  return { rolloutId, revision, durable: notYet?.isDurable ?? true, warning: notYet?.why };
}

/** Why it is not known what is on record; undefined: it is. */
function whyUnread({ ledger }: AdminOptions): string | undefined {
  const health = ledger();
  return health.kind === 'degraded' && health.cause === 'unread' ? health.why : undefined;
}

/** @throws ServeError where there is no such model. */
function checkModel(model: string, options: AdminOptions): void {
  if (options.controller.route(model) === undefined) throw noModel(model, options);
}

function noModel(model: string, { whyStarting }: AdminOptions): ServeError {
  const why = whyStarting?.(model);
  if (why !== undefined) return new ServeError('version_not_ready', `${model} is starting: ${why}`);
  return new ServeError('model_not_found', `no model "${model}"`);
}
