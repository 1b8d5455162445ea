/**
 * The seam between the two sides of the gateway: messages of `core/messages.ts`, handed over by calls while both are in one
 * process.
 */
import { join } from 'node:path';
import { LabelFolder } from '../capture/label-folder.ts';
import { LabelQueue } from '../capture/label-queue.ts';
import { createFeedbackTokens } from '../capture/token.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { Order, TrippedReport } from '../core/messages.ts';
import type { Random } from '../core/random.ts';
import type { Route, RouteView } from '../core/route.ts';
import { requiredInputs, type Tensor } from '../core/tensor.ts';
import { zeros } from '../core/zeros.ts';
import { Examples } from '../examples/examples.ts';
import { createRouteTable, type RouteTable } from '../gateway/route-table.ts';
import { LiveWatch } from '../mirror/live-watch.ts';
import type { Catalog } from '../models/catalog.ts';
import type { Deployments } from '../models/deployments.ts';
import type { Controller } from '../rollout/controller.ts';
import type { Routes } from '../rollout/reconcile/deployer.ts';
import type { TraceParts } from '../telemetry/otel/open-otel.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { RolloutObservers, type RolloutObserversOptions } from '../trials/rollout-observers.ts';
import { MIRROR_LIMITS } from './limits.ts';
import { type Release, releasing } from './release.ts';

export type SeamOptions = {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly deployments: Pick<Deployments, 'shadowHost'>;
  readonly clock: Clock;
  readonly random: Random;
  /** Signs feedback tokens; without one, a secret beside the ledger does. */
  readonly feedbackSecret: string | undefined;
  readonly liveInFlight: () => number;
  /** Undefined: no copy is traced. */
  readonly traces?: Pick<TraceParts, 'shadow'> | undefined;
  readonly telemetry: Required<Pick<RolloutObserversOptions, 'onMirror' | 'onFailure'>> &
    Pick<Telemetry, 'onExampleLost'>;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

export type Seam = {
  /** What the gateway routes by. Only orders write it. */
  readonly served: RouteView;
  readonly watch: LiveWatch;
  readonly observers: RolloutObservers;
  readonly examples: Examples;
  /** The labels that are wanted. */
  readonly labelQueue: LabelQueue;
  /** To the serving side. */
  readonly order: (order: Order) => void;
  /** To be called once the ledger's directory is known to be ours: tokens then outlive this process. Never rejects. */
  readonly loadSecret: () => Promise<void>;
};

/** Joins what watches live requests with what decides by them. */
export function createSeam(options: SeamOptions, release: Release): Seam {
  const { config, catalog, deployments, feedbackSecret, telemetry, traces, ...both } = options;
  const { onMirror, onFailure } = telemetry;
  const labelFolder = new LabelFolder({
    folder: join(config.ledger, 'labels'),
    clock: options.clock,
    onError: (error) => options.onInternalError('store of labels', error),
  });
  const examples = new Examples({
    ...{ clock: options.clock, random: options.random },
    folder: join(config.ledger, 'examples'),
    setting: (model) => catalog.settings(model).examples,
    onLost: telemetry.onExampleLost,
    onError: (error) => options.onInternalError('kept examples', error),
  });
  const given = feedbackSecret === undefined ? undefined : Buffer.from(feedbackSecret);
  const tokens = createFeedbackTokens(() => given ?? labelFolder.secret());
  const served = createRouteTable([]);
  const { mirrorBytesMax } = config.limits;
  const watch = new LiveWatch({
    ...both,
    readMirror: (model) => served.read(model)?.mirror,
    shadowHost: (model, version) => {
      const host = deployments.shadowHost(model, version);
      return host && traces ? traces.shadow.wrap(host, { model, version }) : host;
    },
    limits: {
      ...MIRROR_LIMITS,
      bytesMax: mirrorBytesMax,
      queueBytesMax: Math.floor(mirrorBytesMax / 2),
    },
    report: (report) => observers.receive(report),
    issueToken: tokens.issue,
    knownInputs: (model) => knownInputs(catalog, served.read(model)),
  });
  const order = (each: Order): void => carryOut(each, { served, watch });
  const observers = new RolloutObservers({
    ...{ ...both, tokens, order, onMirror, onFailure },
    contestant: (target) => catalog.find(target),
    labelSettings: (model) => catalog.settings(model).labels,
    labelFolder,
    openExamples: (rollout, stable) => examples.ofRollout(rollout, stable),
    mirrorLongestMs: MIRROR_LIMITS.deadlineMs + MIRROR_LIMITS.lateMs,
  });
  release.push(releasing('kept examples', () => examples.close()));
  release.push(releasing('labels that wait', () => observers.stop()));
  release.push(releasing('comparisons', () => watch.drain()));
  const loadSecret = async (): Promise<void> => {
    // Nothing waits for it.
    void examples.open();
    if (given === undefined) await labelFolder.loadSecret();
  };
  const labelQueue = new LabelQueue({
    wanted: (model) => observers.wanted(model),
    issueToken: tokens.issue,
    clock: options.clock,
  });
  return { served, watch, observers, examples, labelQueue, order, loadSecret };
}

/** Zeros, which every version has run as its warm-up. */
function knownInputs(catalog: Catalog, route: Route | undefined): readonly Tensor[] | undefined {
  const stable = route && catalog.find({ model: route.model, version: route.stable });
  return stable && requiredInputs(stable.signature).map(zeros);
}

/** The serving side's end. */
function carryOut(order: Order, to: { served: RouteTable; watch: LiveWatch }): void {
  switch (order.kind) {
    case 'route':
      to.served.write(order.route);
      return;
    case 'noRoute':
      to.served.remove(order.model);
      return;
    case 'rollout':
      to.watch.obey(order);
      return;
    case 'checkMirror':
      to.watch.checkMirror(order);
      return;
  }
}

/** The deciding side's routes: each change is ordered from the serving side. */
export function createOrderedRoutes(order: Seam['order']): Routes {
  const routes = createRouteTable([]);
  return {
    ...routes,
    write: (route) => {
      routes.write(route);
      order({ kind: 'route', route });
    },
    remove: (model) => {
      routes.remove(model);
      order({ kind: 'noRoute', model });
    },
  };
}

/** Ends the rollout of a version whose process keeps ending; one that is not on trial may do so without that. */
export function endTripped(
  controller: Pick<Controller, 'status' | 'trip'>,
  { target: { model, version }, trip }: TrippedReport,
): void {
  if (controller.status(model)?.candidate === version) void controller.trip(model, trip);
}
