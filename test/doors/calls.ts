import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../support/project-root.ts';

export type Plane = 'data' | 'admin';

/** A request over HTTP that would do something, if it came from a caller that may. */
export type HttpCall = {
  readonly plane: Plane;
  readonly method: string;
  readonly path: string;
  readonly body?: object;
};

/** A call over gRPC. */
export type GrpcCall = { readonly method: string; readonly message: object };

const image = JSON.parse(
  readFileSync(join(projectRoot, 'docs/examples/infer.json'), 'utf8'),
) as object;
const reason = { reason: 'because I can' };
const rollout = { candidate: '2', intent: 'equivalent' };

function data(method: string, path: string, body?: object): HttpCall {
  return { plane: 'data', method, path, ...(body && { body }) };
}

function admin(method: string, path: string, body?: object): HttpCall {
  return { plane: 'admin', method, path: `/api/v1${path}`, ...(body && { body }) };
}

const OF_MODEL = ['/v2/models/fashion', '/v2/models/fashion/versions/1', '/v2/models/hidden'];

/** Whatever can be asked over HTTP. The order is such that each finds something to do when all are sent by an administrator. */
export const HTTP_CALLS: readonly HttpCall[] = [
  data('GET', '/v2'),
  data('GET', '/v2/models/stats'),
  ...OF_MODEL.flatMap((path) => [
    data('GET', path),
    data('GET', `${path}/ready`),
    data('GET', `${path}/config`),
    data('GET', `${path}/stats`),
    data('POST', `${path}/infer`, image),
    data('POST', `${path}/generate`, {}),
  ]),
  data('GET', '/v2/models/fashion/trace/setting'),
  data('POST', '/v2/models/fashion/trace/setting', { trace_level: ['TIMESTAMPS'] }),
  data('GET', '/v2/trace/setting'),
  data('POST', '/v2/repository/index', {}),
  data('GET', '/v2/logging'),
  data('POST', '/v2/logging', { log_info: false }),
  data('POST', '/v2/logging', { log_info: true }),
  data('GET', '/v2/systemsharedmemory/status'),
  data('POST', '/v2/systemsharedmemory/region/a/register', { key: '/a', byte_size: 1 }),
  data('POST', '/v1/feedback', { token: 'a', label: 1 }),
  data('GET', '/model/metadata'),
  data('GET', '/model/labels'),
  data('POST', '/model/predict', {}),
  data('GET', '/'),
  data('GET', '/swagger.json'),
  { plane: 'admin', method: 'GET', path: '/metrics' },
  admin('GET', '/models'),
  admin('GET', '/rollouts'),
  admin('GET', '/models/fashion/route'),
  admin('POST', '/models/fashion/reload'),
  admin('POST', '/models/fashion/labels', { token: 'a', label: 1 }),
  admin('POST', '/config/reload'),
  admin('POST', '/models/fashion/rollout/plan', rollout),
  admin('POST', '/models/fashion/rollout', rollout),
  admin('POST', '/rollouts', { model: 'fashion', ...rollout }),
  admin('GET', '/models/fashion/rollout'),
  admin('GET', '/models/fashion/rollout/evidence'),
  admin('GET', '/rollouts/fashion-2-1/evidence'),
  admin('POST', '/models/fashion/rollout/resume', reason),
  admin('POST', '/models/fashion/rollout/extend', { maxDuration: '1h', ...reason }),
  admin('POST', '/models/fashion/rollout/promote', reason),
  admin('POST', '/models/fashion/rollout/undo', reason),
  admin('POST', '/models/fashion/rollout/abort', reason),
  admin('POST', '/models/fashion/rollout/anchor', { version: '2', ...reason }),
  admin('PUT', '/models/fashion/route', { revision: 1, stable: '2', split: { 2: 100 } }),
  data('POST', '/v2/repository/models/fashion/load', {}),
  data('POST', '/v2/repository/models/fashion/unload', {}),
];

const model = { name: 'fashion', model_name: 'fashion' };

/** Whatever can be asked over gRPC, but for streams. */
export const GRPC_CALLS: readonly GrpcCall[] = [
  { method: 'ServerMetadata', message: {} },
  { method: 'ModelReady', message: model },
  { method: 'ModelMetadata', message: model },
  { method: 'ModelConfig', message: model },
  { method: 'ModelStatistics', message: {} },
  { method: 'ModelInfer', message: model },
  { method: 'RepositoryIndex', message: {} },
  { method: 'RepositoryModelLoad', message: model },
  { method: 'RepositoryModelUnload', message: model },
  { method: 'LogSettings', message: {} },
  { method: 'LogSettings', message: { settings: { log_info: { bool_param: false } } } },
  { method: 'TraceSetting', message: {} },
  { method: 'SystemSharedMemoryStatus', message: {} },
  { method: 'SystemSharedMemoryRegister', message: { name: 'a', key: '/a', byte_size: '1' } },
];

/** Paths that answer everyone, on each plane. */
export const OPEN_PATHS: Readonly<Record<Plane, readonly string[]>> = {
  data: ['/v2/health/live', '/v2/health/ready'],
  admin: ['/healthz'],
};
