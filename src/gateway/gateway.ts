/**
 * The serving sentence: admit, choose the version, check, run, report. Everything that can refuse a request before it costs
 * anything stands before the run; taps learn of a request once it has been assigned and found to fit, and of how it ended.
 *
 * A request that is in flight here is one whose caller still waits: once its deadline passes or its signal aborts, it is
 * answered and forgotten, and what the host still does for it is the host's own bound to keep.
 */
import { type Deferred, deferred } from '../concurrency/deferred.ts';
import type { CancelSignal } from '../core/cancel-signal.ts';
import type { Clock } from '../core/clock.ts';
import { ServeError, type ServeErrorCode } from '../core/errors.ts';
import { UnfitAnswerError } from '../core/failure-kind.ts';
import type { Infer, InferRequest, InferResponse } from '../core/infer.ts';
import type { Joining } from '../core/joining.ts';
import type { Fallback, Tap } from '../core/outcome.ts';
import type { RefusedModel, RepositoryVersion, StartingModel } from '../core/repository-version.ts';
import type { Arm, Assignment, Route, RouteView, Share } from '../core/route.ts';
import type { Signature } from '../core/tensor.ts';
import type { ModelVersion, VersionState } from '../core/version.ts';
import { answerInTime } from './answer-in-time.ts';
import { formerShare, otherShare } from './arms-of-trial.ts';
import { refusalOf } from './check-request.ts';
import { chooseVersion } from './choose-version.ts';
import { asAsked, comparedRequest } from './compared-request.ts';
import {
  chosenVersion,
  describeModel,
  type ModelMetadata,
  notReady,
  type Readiness,
  readinessOf,
} from './describe-model.ts';
import { heldToStable } from './held-to-stable.ts';
import { Listeners, type Watcher } from './listeners.ts';
import {
  type ReadinessRule,
  readinessOfServer,
  refusalOfModel,
  refusalOfStart,
} from './server-readiness.ts';
import { ArmPausedError } from './trial-arm.ts';
import { TrialArms } from './trial-arms.ts';
import { isFaultOf } from './version-faults.ts';

/** The part of a host that serving needs. */
export type ServingHost = {
  readonly signature: Signature;
  /** What its answers keep to of its signature; by default all of it. */
  readonly form?: () => Signature;
  readonly state: () => VersionState;
  readonly infer: Infer;
  /** Whether its requests share runs; by default nothing is known of that. */
  readonly joining?: () => Joining;
};

export type GatewayHosts = {
  /** The host that answers for a version in an arm; undefined while none is loaded. */
  readonly find: (target: ModelVersion, arm: Arm) => ServingHost | undefined;
  /** Every version of a model that the repository holds. */
  readonly versions: (model: string) => readonly RepositoryVersion[];
  /** Models of the repository of which nothing can be served; by default none. */
  readonly refused?: () => readonly RefusedModel[];
};

/** The models that have not been loaded since the process started. */
export type GatewayStart = {
  /** What a model waits for; undefined: it does not start. */
  readonly whyStarting: (model: string) => string | undefined;
  readonly list: () => readonly StartingModel[];
};

export type GatewayLimits = {
  /** Max live requests in flight, over all models. Beyond: `overloaded`. Envoy's circuit breaker `max_requests`. */
  readonly inFlightMax: number;
  /** Max rows of one request to this model. Beyond: `invalid_input`. Triton's max_batch_size. */
  readonly rowsMax: (model: string) => number;
  /** Max requests in flight on one arm of a trial. Beyond, stable answers. Envoy's `max_requests`, per cluster. */
  readonly armInFlightMax: number;
};

export type GatewayOptions = {
  readonly clock: Clock;
  readonly routes: RouteView;
  readonly hosts: GatewayHosts;
  /** By default no model starts. */
  readonly starting?: GatewayStart;
  readonly taps: readonly Tap[];
  readonly limits: GatewayLimits;
  /** When the server as a whole is ready; by default `routed`. */
  readonly readiness?: ReadinessRule;
  /** Called for each request that is refused before a tap sees it; `model` is undefined if there is none of that name. */
  readonly onRefused?: (model: string | undefined, code: ServeErrorCode) => void;
  /** Each is called once for each request that fell back to stable, when stable has answered or failed. */
  readonly onFallback?: readonly ((fallback: Fallback) => void)[];
  /** Called with errors outside any request. */
  readonly onInternalError: (operation: string, error: unknown, request?: InferRequest) => void;
};

export type Gateway = {
  readonly infer: Infer;
  /** @throws ServeError `model_not_found`, `version_not_found`, or `version_not_ready` for a model that is refused. */
  readonly metadata: (model: string, version?: string) => ModelMetadata;
  /** One version, by name or alias; without one the stable version. Throws as `metadata` does. */
  readonly version: (model: string, version?: string) => RepositoryVersion;
  /** Every version of a model that the repository holds; none where there is no such model. */
  readonly versions: (model: string) => readonly RepositoryVersion[];
  /** Ready to answer for the model (its stable version) or for one version. Throws as `metadata` does. */
  readonly modelReadiness: (model: string, version?: string) => Readiness;
  /** As the rule of readiness has it, and not while draining. */
  readonly serverReadiness: () => Readiness;
  readonly inFlight: () => number;
  readonly draining: () => boolean;
  /** Refuses new requests from now on; resolves once those in flight are answered. */
  readonly drain: () => Promise<void>;
};

export function createGateway(options: GatewayOptions): Gateway {
  return new ServingGateway(options);
}

type Placement = {
  readonly assignment: Assignment;
  readonly host: ServingHost | undefined;
  /** The version does not take the request, and the other one of the trial does. */
  readonly refused: ServeError | undefined;
};
type Started = {
  readonly request: InferRequest;
  readonly signal: CancelSignal;
  readonly assignment: Assignment;
  readonly startedMs: number;
};

class ServingGateway implements Gateway {
  readonly #options: GatewayOptions;
  readonly #arms: TrialArms;
  readonly #listeners: Listeners;
  #inFlight = 0;
  #drained: Deferred<void> | undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { clock, limits } = options;
    this.#arms = new TrialArms({ clock, inFlightMax: limits.armInFlightMax });
    this.#listeners = new Listeners(options.onInternalError);
  }

  readonly infer = async (given: InferRequest, signal: CancelSignal): Promise<InferResponse> => {
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    const { assignment, host, refused } = this.#place(given, startedMs);
    const request = comparedRequest(given, assignment, this.#options.routes.read(given.model));
    const started: Started = { request, signal, assignment, startedMs };
    this.#inFlight += 1;
    const watchers = this.#listeners.watch(this.#options.taps, request, assignment);
    try {
      if (refused !== undefined) throw refused;
      if (host === undefined) throw this.#notReady(request.model, assignment.version);
      const response = await this.#runInArm(host, started);
      const endedMs = clock.monotonicMs();
      const armEndedMs = this.#armEndOf(started, endedMs);
      const times = { startedMs, endedMs, armEndedMs };
      this.#listeners.report(watchers, { kind: 'answer', response, ...times });
      return asAsked(response, given, request);
    } catch (thrown) {
      const error = this.#failure(thrown, request);
      return asAsked(await this.#fallBack(started, watchers, error), given, request);
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#drained?.resolve();
    }
  };

  /** Watchers learn how the request ended where it was assigned, regardless of the version that answers. */
  async #fallBack(
    started: Started,
    watchers: readonly Watcher[],
    error: ServeError,
  ): Promise<InferResponse> {
    const { clock, onFallback } = this.#options;
    const { request, assignment, startedMs } = started;
    const { code, message } = error;
    const endedMs = clock.monotonicMs();
    const pausedUntilMs = error instanceof ArmPausedError ? error.untilMs : undefined;
    const failureKind = error instanceof UnfitAnswerError ? error.failureKind : undefined;
    const times = { startedMs, endedMs, pausedUntilMs };
    this.#listeners.report(watchers, { kind: 'failure', code, message, failureKind, ...times });
    const isFault = isFaultOf(assignment.arm, code);
    const host = isFault ? this.#fallbackFor(started) : undefined;
    if (host === undefined || endedMs >= request.deadlineMs) throw error;
    let answer: InferResponse | undefined;
    try {
      answer = await this.#run(host, request, started.signal);
      this.#arms.learn(request.model, answer.version, clock.monotonicMs() - endedMs);
      return answer;
    } finally {
      const totalMs = clock.monotonicMs() - startedMs;
      const fallback = { model: request.model, failed: assignment, code, answer, totalMs };
      this.#listeners.report(onFallback ?? [], fallback);
    }
  }

  /** An arm on trial answers as stable would, in a part of the deadline if stable can answer in its place. */
  #runInArm(host: ServingHost, started: Started): Promise<InferResponse> {
    const { request, assignment, signal } = started;
    const stable = this.#stableBeside(started);
    if (stable === undefined) return this.#run(host, request, signal);
    const { model } = request;
    const form = this.#hostOf(model, formerShare(this.#options.routes.read(model))) ?? stable;
    const run = async (one: InferRequest): Promise<InferResponse> =>
      heldToStable(await this.#run(host, one, signal), one, form);
    if (this.#fallbackFor(started) === undefined) return run(request);
    return this.#arms.visit({ request, assignment, run });
  }

  #run(host: ServingHost, request: InferRequest, signal: CancelSignal): Promise<InferResponse> {
    const leftMs = request.deadlineMs - this.#options.clock.monotonicMs();
    return answerInTime(host.infer, { request, signal, leftMs });
  }

  /**
   * Learns from what stable answered. Where it is itself what the candidate is compared with, and took longer than an arm on
   * trial may, the comparison must see what an arm would have shown: the moment at which it would have been given up.
   */
  #armEndOf({ request, assignment, startedMs }: Started, endedMs: number): number | undefined {
    if (assignment.arm !== 'stable') return undefined;
    const { model, deadlineMs } = request;
    if (assignment.side !== 'reference' || request.inSequence === true) {
      this.#arms.learn(model, assignment.version, endedMs - startedMs);
      return undefined;
    }
    const armEndMs = startedMs + this.#arms.budgetMs(model, deadlineMs - startedMs);
    this.#arms.learn(model, assignment.version, endedMs - startedMs);
    return armEndMs < endedMs ? armEndMs : undefined;
  }

  /**
   * Users on trial arms did not ask to be: what fails there is answered by stable, if there is time. It counts against its
   * arm all the same. Control is treated as the candidate is, so that the two stay alike. A sequence stays with one version,
   * even after a failure: another version has none of its state.
   */
  #fallbackFor(started: Started): ServingHost | undefined {
    return started.request.inSequence === true ? undefined : this.#stableBeside(started);
  }

  /** Stable's host, for a request that an arm on trial got. */
  #stableBeside({
    request: { model },
    assignment: { arm, by },
  }: Pick<Started, 'request' | 'assignment'>): ServingHost | undefined {
    if (by !== 'split' || (arm !== 'candidate' && arm !== 'control')) return undefined;
    const stable = this.#options.routes.read(model)?.stable;
    if (stable === undefined) return undefined;
    const host = this.#options.hosts.find({ model, version: stable }, 'stable');
    return host?.state().kind === 'ready' ? host : undefined;
  }

  #hostOf(model: string, share: Share | undefined): ServingHost | undefined {
    return share && this.#options.hosts.find({ model, version: share.version }, share.arm);
  }

  metadata(model: string, version?: string): ModelMetadata {
    return describeModel(this.#route(model), version, this.#options.hosts.versions(model));
  }

  version(model: string, version?: string): RepositoryVersion {
    return chosenVersion(this.#route(model), version, this.#options.hosts.versions(model));
  }

  versions(model: string): readonly RepositoryVersion[] {
    return this.#options.hosts.versions(model);
  }

  modelReadiness(model: string, version?: string): Readiness {
    const refusal = this.#startOf(model) ?? this.#refusal(model);
    if (refusal !== undefined) return { ready: false, reason: refusal.message };
    const readiness = readinessOf(this.#route(model), version, this.#options.hosts.versions(model));
    return this.draining() ? STOPPING : readiness;
  }

  serverReadiness(): Readiness {
    if (this.draining()) return STOPPING;
    const { hosts, routes, starting, readiness = 'routed' } = this.#options;
    return readinessOfServer({
      rule: readiness,
      routes: routes.list(),
      refused: hosts.refused?.() ?? [],
      starting: starting?.list() ?? [],
      versions: hosts.versions,
      stable: (route) => readinessOf(route, undefined, hosts.versions(route.model)),
    });
  }

  inFlight(): number {
    return this.#inFlight;
  }

  draining(): boolean {
    return this.#drained !== undefined;
  }

  drain(): Promise<void> {
    this.#drained ??= deferred();
    if (this.#inFlight === 0) this.#drained.resolve();
    return this.#drained.promise;
  }

  /** Admits, assigns and checks. What no arm takes is no version's doing, and taps never see it. */
  #place(request: InferRequest, nowMs: number): Placement {
    const { hosts, limits, routes, onRefused } = this.#options;
    const { model } = request;
    try {
      this.#admit(request, nowMs);
      const assignment = this.#choose(request);
      const found = hosts.find({ model, version: assignment.version }, assignment.arm);
      const host = found?.state().kind === 'ready' ? found : undefined;
      // What is wrong with a request must not count against an arm that is not there to say so.
      const held = host ?? this.#stableBeside({ request, assignment });
      const rowsMax = limits.rowsMax(model);
      const refused = held && refusalOf(request, held.signature, { rowsMax });
      const other = refused && this.#hostOf(model, otherShare(routes.read(model), assignment));
      if (refused && (!other || refusalOf(request, other.signature, { rowsMax }))) throw refused;
      return { assignment, host, refused };
    } catch (thrown) {
      const error = this.#failure(thrown, request);
      onRefused?.(routes.read(model)?.model, error.code);
      throw error;
    }
  }

  #admit(request: InferRequest, nowMs: number): void {
    if (this.draining()) throw new ServeError('version_not_ready', STOPPING.reason);
    const { inFlightMax } = this.#options.limits;
    if (this.#inFlight >= inFlightMax) {
      throw new ServeError(
        'overloaded',
        `too many requests in flight: expected at most ${inFlightMax}, found ${this.#inFlight}. Retry later`,
        { retryAfterMs: 1_000 },
      );
    }
    if (request.deadlineMs <= nowMs) {
      throw new ServeError('deadline_exceeded', 'Request timeout expired before it was admitted');
    }
  }

  #choose(request: InferRequest): Assignment {
    const start = this.#startOf(request.model);
    if (start !== undefined) throw start;
    const route = this.#route(request.model);
    const needsNames = request.version !== undefined || route.rules.length > 0;
    const versions = needsNames ? this.#options.hosts.versions(request.model) : NO_VERSIONS;
    return chooseVersion(route, request, versions);
  }

  /** A version that is not ready fails after the taps have seen the request: that counts against its arm. */
  #notReady(model: string, version: string): ServeError {
    const message = notReady(model, version, this.#options.hosts.versions(model));
    return new ServeError('version_not_ready', message, { retryAfterMs: 1_000 });
  }

  #route(model: string): Route {
    const route = this.#options.routes.read(model);
    if (route !== undefined) return route;
    const refusal = this.#startOf(model) ?? this.#refusal(model);
    if (refusal !== undefined) throw refusal;
    const known = this.#options.routes.list().map((each) => `'${each.model}'`);
    throw new ServeError(
      'model_not_found',
      `Request for unknown model: '${model}' is not found. Expected one of ${known.join(', ') || 'no models'}, found '${model}'`,
    );
  }

  /** No traffic is routed to a model before it has been loaded, even where its route is known already. */
  #startOf(model: string): ServeError | undefined {
    const why = this.#options.starting?.whyStarting(model);
    return why === undefined ? undefined : refusalOfStart({ model, why });
  }

  /** Why a model that no route leads to is not served, where it is in the repository. */
  #refusal(model: string): ServeError | undefined {
    if (this.#options.routes.read(model) !== undefined) return undefined;
    const refused = this.#options.hosts.refused?.().find((each) => each.model === model);
    return refused && refusalOfModel(refused);
  }

  #failure(thrown: unknown, request: InferRequest): ServeError {
    if (!(thrown instanceof ServeError)) this.#options.onInternalError('infer', thrown, request);
    return ServeError.from(thrown);
  }
}

const NO_VERSIONS: readonly RepositoryVersion[] = [];

const STOPPING = {
  ready: false,
  reason: 'Server is stopping and has stopped accepting new inference requests: unavailable',
} as const satisfies Readiness;
