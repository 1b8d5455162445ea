import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type ServerInterceptor,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import t, { type Test } from 'tap';

import { CallMemory, type CallMemoryOptions } from '../../../src/protocol/grpc/call-memory.ts';
import { widenWindows } from '../../../src/protocol/grpc/http2-window.ts';
import { callInternals } from '../../../src/protocol/grpc/library-internals.ts';
import { MemoryBudget } from '../../../src/protocol/memory-budget.ts';
import { projectRoot } from '../../support/project-root.ts';

type Package = {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
};

t.test('the library is pinned to the one version that is reached into', async (t) => {
  const own = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as Package;
  const installed = createRequire(import.meta.url)('@grpc/grpc-js/package.json') as Package;
  t.equal(own.dependencies['@grpc/grpc-js'], installed.version);
});

/** An object that shows no such part, and works as ever by itself. */
function without<Whole extends object>(whole: Whole, part: string): Whole {
  return new Proxy(whole, {
    get: (target, key) => {
      const value: unknown = key === part ? undefined : Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

t.test('a server that looks different inside does not start without its bounds', async (t) => {
  for (const part of ['createHttp2Server', 'commonServerOptions']) {
    const server = without(new Server(), part);
    const start = () => widenWindows(server, { headerBytesMax: 1_000, onSession: () => undefined });
    t.throws(start, { message: new RegExp(`expected Server with the \\w+ ${part}, found undef`) });
  }
});

t.test('a call that looks different inside has its parts named', async (t) => {
  t.throws(() => callInternals({}), { message: /a call with the object stream, found undefined/ });
  t.throws(() => callInternals({ stream: null }), { message: /stream, found null/ });
});

const BYTES = { serialize: (bytes: Buffer) => bytes, deserialize: (bytes: Buffer) => bytes };
const ECHO = '/test.Echo/Say';

/** A server whose first interceptor is given what `given` makes of the library's call, and one call to it. */
async function aCallWith(
  t: Test,
  given: (call: Parameters<ServerInterceptor>[1]) => Parameters<ServerInterceptor>[1],
  onInternalError: CallMemoryOptions['onInternalError'] = () => undefined,
): Promise<ServiceError | null> {
  const memory = new CallMemory({
    budget: new MemoryBudget(1_000_000),
    messageBytesMax: 1_000,
    givesBack: () => true,
    onRefused: () => undefined,
    onInternalError,
  });
  const server = new Server({
    interceptors: [(method, call) => memory.interceptor(method, given(call))],
  });
  widenWindows(server, { headerBytesMax: 8_000, onSession: (session) => memory.watch(session) });
  const say = {
    path: ECHO,
    requestStream: false,
    responseStream: false,
    requestSerialize: BYTES.serialize,
    requestDeserialize: BYTES.deserialize,
    responseSerialize: BYTES.serialize,
    responseDeserialize: BYTES.deserialize,
  };
  server.addService(
    { Say: say },
    {
      Say: ({ request }: { request: Buffer }, answer: sendUnaryData<Buffer>) =>
        answer(null, request),
    },
  );
  t.teardown(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  t.teardown(() => client.close());
  return new Promise((resolve) => {
    const { serialize, deserialize } = BYTES;
    client.makeUnaryRequest(ECHO, serialize, deserialize, Buffer.from('hello'), resolve);
  });
}

t.test('a call that looks different inside is refused, and not served uncounted', async (t) => {
  t.equal(await aCallWith(t, (call) => call), null);
  for (const part of ['stream', 'metadata', 'decompressMessage', 'sendMessage']) {
    const reported: string[] = [];
    const error = await aCallWith(
      t,
      (call) => without(call, part),
      (_, thrown) => reported.push(String(thrown)),
    );
    t.equal(error?.code, status.INTERNAL, part);
    t.match(reported, [/expected a call with the \w+ .*Install the version/], 'the log says why');
  }
});
