import { systemClock } from '../../src/core/clock.ts';
import type { Infer, InferRequest } from '../../src/core/infer.ts';
import type { RepositoryVersion, ServingFacts } from '../../src/core/repository-version.ts';
import type { Route } from '../../src/core/route.ts';
import type { Signature, Tensor } from '../../src/core/tensor.ts';
import type { VersionState } from '../../src/core/version.ts';
import { createGateway, type GatewayOptions, type ServingHost } from '../../src/gateway/gateway.ts';
import { createRouteTable } from '../../src/gateway/route-table.ts';
import { declaredIn } from '../../src/repository/triton-declared.ts';

/** Takes two numbers a row, gives them back. */
export const PAIRS: Signature = {
  inputs: [{ name: 'x', dtype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', dtype: 'FP32', shape: [-1, 2] }],
};

export const READY: VersionState = { kind: 'ready' };

export function aRoute(parts: Partial<Route> = {}): Route {
  return {
    model: 'm',
    revision: 1,
    stable: '1',
    shares: [{ arm: 'stable', version: '1', weightBp: 10_000 }],
    salt: 'salt',
    rules: [],
    aliases: {},
    mirror: undefined,
    ...parts,
  };
}

export function aTensor(parts: Partial<Tensor> = {}): Tensor {
  return { name: 'x', dtype: 'FP32', shape: [1, 2], data: new Uint8Array(8), ...parts };
}

export function aRequest(parts: Partial<InferRequest> = {}): InferRequest {
  return {
    id: 'r-1',
    model: 'm',
    version: undefined,
    unit: 'u-1',
    traceparent: undefined,
    caller: undefined,
    attributes: {},
    priority: 0,
    inputs: [aTensor()],
    outputs: undefined,
    deadlineMs: systemClock.monotonicMs() + 10_000,
    ...parts,
  };
}

/** Gives the inputs back under the names of the outputs. */
export function echoHost(version: string, signature: Signature = PAIRS): ServingHost {
  const infer: Infer = async (request) => ({
    model: request.model,
    version,
    outputs: signature.outputs.map((spec, index) => ({
      name: spec.name,
      dtype: request.inputs[index]?.dtype ?? spec.dtype,
      shape: request.inputs[index]?.shape ?? [],
      data: request.inputs[index]?.data ?? new Uint8Array(),
    })),
    timing: { queueMs: 1, computeMs: 2 },
    batch: { id: 1, rows: 1 },
  });
  return { signature, state: () => READY, infer };
}

export const FACTS: ServingFacts = {
  rowsMax: 8,
  delayMs: 0,
  queueRequestsMax: 16,
  deadlineMs: 1_000,
  priorityLevels: 0,
  defaultPriority: 0,
  replicas: 1,
  device: 'cpu',
  versionPolicy: { kind: 'latest', count: 1 },
  modelFile: 'model.onnx',
  reshapes: [],
  declared: declaredIn({}),
};

export function aVersion(version: string, parts: Partial<RepositoryVersion> = {}) {
  return {
    version,
    state: READY,
    joining: undefined,
    provider: undefined,
    signature: PAIRS,
    platform: 'onnxruntime_onnx',
    labels: new Map(),
    facts: FACTS,
    ...parts,
  };
}

/** What a test says about a gateway; the rest is a model `m` whose version 1 is ready and echoes. */
export type GatewayParts = Partial<Omit<GatewayOptions, 'routes' | 'hosts'>> & {
  readonly routes?: readonly Route[];
  readonly hosts?: Readonly<Record<string, ServingHost>>;
  readonly versions?: readonly RepositoryVersion[];
  /** In place of `hosts`, where arms of one version differ. */
  readonly find?: GatewayOptions['hosts']['find'];
};

export function aGateway(parts: GatewayParts = {}) {
  const { routes = [aRoute()], hosts = { '1': echoHost('1') }, versions = [aVersion('1')] } = parts;
  return createGateway({
    clock: parts.clock ?? systemClock,
    routes: createRouteTable(routes),
    hosts: { find: parts.find ?? (({ version }) => hosts[version]), versions: () => versions },
    taps: parts.taps ?? [],
    limits: parts.limits ?? { inFlightMax: 100, armInFlightMax: 100, rowsMax: () => 8 },
    ...(parts.onRefused === undefined ? {} : { onRefused: parts.onRefused }),
    ...(parts.onFallback === undefined ? {} : { onFallback: parts.onFallback }),
    onInternalError: parts.onInternalError ?? (() => {}),
  });
}

export const NEVER_ABORTED: AbortSignal = new AbortController().signal;
