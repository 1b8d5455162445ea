/**
 * All that is reached for inside of `@grpc/grpc-js` because its public API does not give it. package.json pins the library to the one
 * version that was looked into. What bounds a server rests on these parts: where another version lacks one, the server does not
 * start, or refuses the call, rather than serve without bounds.
 */
import type { Http2Server, ServerHttp2Stream } from 'node:http2';
import { createRequire } from 'node:module';
import type { Metadata, Server, ServerCredentials } from '@grpc/grpc-js';

/** Of a server: how it makes the HTTP/2 server that it listens with. Its options for windows only its client reads. */
export type ServerInternals = {
  readonly commonServerOptions: { settings?: Record<string, number> };
  createHttp2Server: (credentials: ServerCredentials) => Http2Server;
};

/** Of a call: its stream, and where its messages come in and go out. */
export type CallInternals = {
  readonly stream: ServerHttp2Stream;
  readonly metadata: Metadata;
  readonly sendStatus: (status: unknown) => void;
  decompressMessage: (message: Buffer, encoding: string) => Buffer | Promise<Buffer>;
  sendMessage: (message: unknown, callback: () => void) => void;
};

/** How a call puts its prefix before a message that `handler.serialize` has written. */
export type WriteMessage = (
  call: { readonly handler: { readonly serialize: () => unknown } },
  message: unknown,
) => unknown;

/** @throws Error where the library looks different inside. */
export function serverInternals(server: Server): ServerInternals {
  return expectParts<ServerInternals>('Server', server, {
    commonServerOptions: 'object',
    createHttp2Server: 'function',
  });
}

/**
 * Of a call that its first interceptor is given, which is the library's own.
 *
 * @throws Error where the library looks different inside.
 */
export function callInternals(call: object): CallInternals {
  return expectParts<CallInternals>('a call', call, {
    stream: 'object',
    metadata: 'object',
    sendStatus: 'function',
    decompressMessage: 'function',
    sendMessage: 'function',
  });
}

/** undefined: the library has none, or not where it was. */
export function messageWriter(): WriteMessage | undefined {
  const write = serializerOf(INTERCEPTORS);
  return write === undefined ? undefined : (call, message) => write.call(call, message);
}

const INTERCEPTORS = '@grpc/grpc-js/build/src/server-interceptors.js';

type Serializer = (this: object, message: unknown) => unknown;

function serializerOf(file: string): Serializer | undefined {
  try {
    const inside = createRequire(import.meta.url)(file) as {
      readonly BaseServerInterceptingCall?: {
        readonly prototype: { readonly serializeMessage?: Serializer };
      };
    };
    return inside.BaseServerInterceptingCall?.prototype.serializeMessage;
  } catch {
    return undefined;
  }
}

function expectParts<Inside>(
  what: string,
  owner: object,
  parts: Readonly<Record<keyof Inside & string, 'object' | 'function'>>,
): Inside {
  for (const [name, kind] of Object.entries(parts)) {
    const part: unknown = Reflect.get(owner, name);
    if (typeof part === kind && part !== null) continue;
    throw new Error(
      `@grpc/grpc-js: expected ${what} with the ${kind} ${name}, found ${part === null ? 'null' : typeof part}. Install the version that package.json names`,
    );
  }
  return owner as Inside;
}
