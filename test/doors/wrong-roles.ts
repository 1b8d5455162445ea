import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { Role } from '../../src/core/caller.ts';
import { GRPC_CALLS, HTTP_CALLS, type HttpCall } from './calls.ts';
import { callerOf, grpcCallerOf, type Target } from './target.ts';

/** Callers with one role on all models, and a user whose token says who it is. */
const CALLERS = ['infer', 'label', 'view', 'operate', 'token'] as const;

/** What needs no more than a role, or is for everyone with any: all else has to be refused. */
function isFor(role: Role, { plane, method, path }: HttpCall): boolean {
  const isRead = method === 'GET';
  const isFeedback = path === '/v1/feedback' || (plane === 'admin' && path.endsWith('/labels'));
  const isSetting = /\/(trace|logging)/.test(path);
  const isShared = path.includes('sharedmemory');
  switch (role) {
    case 'infer':
      // Labels of its own requests as well, by their ids: whose they are is known once they are read.
      return plane === 'data' && !isSetting && !isShared && !/load$/.test(path);
    case 'label':
      return isFeedback && method === 'POST';
    case 'view':
      return (plane === 'admin' && (isRead || path.endsWith('/plan'))) || (isSetting && isRead);
    case 'operate':
      return (
        !['/v2/logging', '/v2/trace/setting', '/api/v1/config/reload'].includes(path) || isRead
      );
    case 'admin':
      return true;
  }
}

/** The same over gRPC, where a message without content reads. */
function isMethodFor(role: Role, method: string, message: object): boolean {
  const isChange = 'settings' in message;
  switch (role) {
    case 'infer':
      return /^(Model|Server|RepositoryIndex)/.test(method) && !/ModelLoad|Unload/.test(method);
    case 'view':
      return /^(Log|Trace)/.test(method) && !isChange;
    case 'operate':
      return !(method === 'LogSettings' && isChange);
    case 'label':
      return false;
    case 'admin':
      return true;
  }
}

const SHARED_MEMORY = /sharedmemory|SharedMemory/;

type Way = { readonly name: string; readonly role: Role; readonly bearer: string };

/** Requests beyond a caller's role, on every port: what is not refused, by what was asked. */
export async function askBeyondRoles(target: Target): Promise<readonly string[]> {
  const { keys, tokens } = target.place;
  const faults: string[] = [];
  for (const name of CALLERS) {
    const role: Role = name === 'token' ? 'infer' : name;
    const way = { name, role, bearer: `Bearer ${name === 'token' ? tokens.good : keys[name]}` };
    faults.push(...(await askHttp(target, way)), ...(await askGrpc(target, way)));
  }
  return faults;
}

async function askHttp(target: Target, { name, role, bearer }: Way): Promise<readonly string[]> {
  const callers = { data: callerOf(target, 'http'), admin: callerOf(target, 'admin') };
  const headers = [['authorization', bearer]] as const;
  const faults: string[] = [];
  for (const { plane, ...call } of HTTP_CALLS) {
    if (isFor(role, { plane, ...call }) || SHARED_MEMORY.test(call.path)) continue;
    const { status: found } = await callers[plane].send({ ...call, headers });
    if (found !== 403) faults.push(`${name}: ${plane} ${call.method} ${call.path}: ${found}`);
  }
  callers.data.close();
  callers.admin.close();
  return faults;
}

async function askGrpc(target: Target, { name, role, bearer }: Way): Promise<readonly string[]> {
  const grpc = grpcCallerOf(target);
  const metadata = new Metadata();
  metadata.set('authorization', bearer);
  const faults: string[] = [];
  for (const { method, message } of GRPC_CALLS) {
    if (isMethodFor(role, method, message) || SHARED_MEMORY.test(method)) continue;
    const found = await grpc.call(method, { ...message }, metadata).then(
      () => status.OK,
      (error: ServiceError) => error.code,
    );
    if (found !== status.PERMISSION_DENIED)
      faults.push(`${name}: grpc ${method}: ${status[found]}`);
  }
  grpc.close();
  return faults;
}
