/**
 * The Open Inference Protocol over gRPC, with what Triton's clients know beyond it. The wire ends here: what goes further in are
 * InferRequests, what comes back InferResponses and ServeErrors.
 */
import type { Http2Server, ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import {
  type Metadata,
  Server,
  ServerCredentials,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';

import type { Asker } from '../../core/entrance.ts';
import { type CallerNames, isLoopbackAddress } from '../../core/web-caller.ts';
import { Connections } from '../connections.ts';
import type { Intake } from '../intake.ts';
import type { MemoryBudget, MemoryShare } from '../memory-budget.ts';
import { INFER } from '../needs.ts';
import type { Service } from '../service.ts';
import { createAboutCalls } from './about-calls.ts';
import { createAnswerInfer } from './answer-infer.ts';
import { createAuthorityDoor } from './authority.ts';
import { boundFrames } from './bound-frames.ts';
import { boundReading } from './bound-reading.ts';
import { boundSession } from './bound-sessions.ts';
import { CallMemory } from './call-memory.ts';
import { CallerDoor, type CallerDoorOptions } from './caller-door.ts';
import {
  type Codec,
  HEALTH,
  INFERENCE,
  inBytes,
  loadDefinitions,
  methodsOf,
} from './definitions.ts';
import { GrpcExchanges } from './exchanges.ts';
import { createHealthCalls } from './health.ts';
import { widenWindows } from './http2-window.ts';
import { createInferCall } from './infer-call.ts';
import type { GrpcLimits } from './limits.ts';
import { forgetLongTimeouts } from './long-timeouts.ts';
import { checkNeeds, METHOD_NEEDS } from './method-needs.ts';
import { OpenStreams } from './open-streams.ts';
import { addReflection } from './reflection.ts';
import { createRepositoryCalls } from './repository-calls.ts';
import { createSettingsCalls } from './settings-calls.ts';
import { SHARED_MEMORY_CALLS } from './shared-memory-calls.ts';
import { cutStalledCalls } from './stalled-calls.ts';
import { createStreamCall } from './stream.ts';
import { unary } from './unary.ts';

export type GrpcServerOptions = {
  readonly service: Service;
  readonly limits: GrpcLimits;
  /** Authorities that clients may call by; empty: any. Django's ALLOWED_HOSTS. */
  readonly allowedHosts: readonly string[];
  /** What all requests may hold together, those of other protocols among them. */
  readonly budget: MemoryBudget;
  /** Whose turn it is to bring a large message, over all protocols. */
  readonly intake: Intake;
  /** The folder of the proto files. */
  readonly protosFolder: string;
  /** Gets the server that listens, once all that bounds its connections is there; by default it stays without TLS. */
  readonly secure?: (server: Http2Server) => void;
  /** The certificate that a caller proved to hold; by default none. */
  readonly certificateOf?: CallerDoorOptions['certificateOf'];
};

export type GrpcServer = {
  readonly listen: (host: string, port: number) => Promise<{ port: number }>;
  /** Answers what is in flight, then closes all connections, soon or by force. Drain the gateway first. */
  readonly close: () => Promise<void>;
};

/** Keepalive pings of idle connections: GRPC_ARG_KEEPALIVE_TIME_MS and GRPC_ARG_KEEPALIVE_TIMEOUT_MS. */
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;

const HEALTH_POLL_MS = 500;

export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { service, limits, protosFolder } = options;
  const definitions = loadDefinitions(protosFolder);
  const inference = methodsOf(definitions, INFERENCE);
  const health = methodsOf(definitions, HEALTH);
  const open = new OpenStreams();
  let names: CallerNames = { allowed: options.allowedHosts, isLoopback: false };
  const memory = createMemory(options, inference);
  const door = createDoor(options);
  const host = options.allowedHosts.length > 0 ? hostDoor(() => names) : undefined;
  const exchanges = service.exchanges && new GrpcExchanges(service.exchanges, service.clock);
  const server = new Server({
    'grpc.max_receive_message_length': limits.messageBytesMax,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': limits.callsMax,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.enable_channelz': 0,
    // The first gets the library's own call, and leaves it as it is, as all do that refuse nothing.
    interceptors: [memory, exchanges, host, service.entrance && door].flatMap((each) =>
      each === undefined ? [] : [each.interceptor],
    ),
  });
  const parts = { ...options, memory, open, door };
  server.addService(inBytes(inference), inferenceCalls(parts, inference));
  server.addService(inBytes(health), healthCalls(parts, health));
  const reflection = addReflection(server, definitions);
  checkNeeds([...reflection, ...[inference, health].flatMap(pathsOf)]);
  const streams = new Set([...reflection, ...[inference, health].flatMap(streamPaths)]);
  const { stallMsMax, headerBytesMax } = limits;
  const sockets = new Set<Socket>();
  const connections = new Connections(limits.connectionsMax, service.clock);
  const isStream = (path: string): boolean => streams.has(path);
  const onSession = (session: ServerHttp2Session, socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    forgetLongTimeouts(session);
    memory.watch(session);
    door.watch(session, socket);
    exchanges?.watch(session, socket);
    boundFrames(session);
    boundReading(session, socket, options.intake);
    boundSession(session, { connections, socket, isStream });
    cutStalledCalls(session, socket, { stallMsMax, isStream });
  };
  widenWindows(server, { headerBytesMax, onSession, secure: options.secure });
  return {
    listen: async (host, port) => {
      names = { ...names, isLoopback: isLoopbackAddress(host) };
      return { port: await bind(server, host, port) };
    },
    close: async () => {
      open.stopAll();
      if (await isShutWithin(server, limits.lingerMsMax)) return;
      server.forceShutdown();
      // A session that is cut off waits for its last write, and a caller who reads nothing never takes it.
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Refuses calls under names that are not allowed. */
function hostDoor(names: () => CallerNames) {
  return { interceptor: createAuthorityDoor(names) };
}

function createDoor({ service, certificateOf }: GrpcServerOptions): CallerDoor {
  return new CallerDoor({ entrance: service.entrance, needs: METHOD_NEEDS, certificateOf });
}

type Methods = ReturnType<typeof methodsOf>;

/** What came for inference is held until it is answered; streams of other methods are asked small things. */
function createMemory(
  { service, limits, budget }: GrpcServerOptions,
  inference: Methods,
): CallMemory {
  const inferring = new Set(Object.values(inference).map((method) => method.path));
  return new CallMemory({
    budget,
    messageBytesMax: limits.messageBytesMax,
    givesBack: (path) => inferring.has(path),
    onRefused: () => service.onRefused('', 'memory_full'),
    onInternalError: service.onInternalError,
  });
}

type Parts = GrpcServerOptions & {
  readonly memory: CallMemory;
  readonly open: OpenStreams;
  readonly door: CallerDoor;
};

function healthCalls(
  { service, open, door }: Parts,
  methods: Methods,
): UntypedServiceImplementation {
  const { gateway, onInternalError } = service;
  return createHealthCalls({
    methods: { Check: codecOf(methods, 'Check'), Watch: codecOf(methods, 'Watch') },
    ...{ gateway, open, onInternalError },
    ask: (metadata) => door.ask(metadata, INFER),
    pollMs: HEALTH_POLL_MS,
  });
}

function inferenceCalls(
  { service, limits, budget, memory, open, door }: Parts,
  methods: Methods,
): UntypedServiceImplementation {
  const { clock, onInternalError } = service;
  const answerInfer = createAnswerInfer(service, limits);
  const common = { answerInfer, clock, onInternalError };
  const shareOf = (metadata: Metadata): MemoryShare => memory.shareOf(metadata);
  const askerOf = (metadata: Metadata): Asker => door.askerOf(metadata);
  const ask = (metadata: Metadata) => door.ask(metadata, INFER);
  const calls: UntypedServiceImplementation = {
    ModelInfer: createInferCall({ ...common, shareOf, askerOf }),
    ModelStreamInfer: createStreamCall({ ...common, limits, budget, shareOf, open, ask }),
  };
  const others: Readonly<Record<string, Run>> = {
    ...createAboutCalls(service),
    ...createRepositoryCalls(service),
    ...createSettingsCalls(service),
    ...SHARED_MEMORY_CALLS,
  };
  for (const [name, answer] of Object.entries(others)) {
    const run = (request: never, metadata: Metadata) => answer(request, askerOf(metadata));
    // The files of a load may be as large as any request.
    const bytesMax = name === 'RepositoryModelLoad' ? limits.messageBytesMax : undefined;
    calls[name] = unary({ codec: codecOf(methods, name), run, onInternalError, bytesMax });
  }
  return calls;
}

/** What answers a unary call that is not inference. */
type Run = (request: never, asker: Asker) => object | Promise<object>;

function codecOf(methods: Methods, name: string): Codec {
  const method = methods[name];
  if (method === undefined)
    throw new Error(`expected method ${name} in the proto files, found none`);
  return method;
}

function pathsOf(methods: Methods): readonly string[] {
  return Object.values(methods).map((method) => method.path);
}

function streamPaths(methods: Methods): readonly string[] {
  const streaming = Object.values(methods).filter((method) => method.requestStream);
  return streaming.map((method) => method.path);
}

function bind(server: Server, host: string, port: number): Promise<number> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(new Error(reasonOf(error), { cause: error }));
    });
  });
}

/** The library's message names the number of addresses that it tried, and in brackets why the last one failed. */
function reasonOf({ message }: Error): string {
  return /\[(.+)\]$/.exec(message)?.[1] ?? message;
}

/** False: a client keeps a call or a connection open, and would keep the server from closing. */
function isShutWithin(server: Server, lingerMsMax: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), lingerMsMax);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
