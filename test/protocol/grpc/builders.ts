import path from 'node:path';
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import type { Test } from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import {
  HEALTH,
  INFERENCE,
  loadDefinitions,
  methodsOf,
} from '../../../src/protocol/grpc/definitions.ts';
import type { GrpcLimits } from '../../../src/protocol/grpc/limits.ts';
import { createGrpcServer, type GrpcServerOptions } from '../../../src/protocol/grpc/server.ts';
import { Intake } from '../../../src/protocol/intake.ts';
import { MemoryBudget } from '../../../src/protocol/memory-budget.ts';
import type { Service } from '../../../src/protocol/service.ts';
import { projectRoot } from '../../support/project-root.ts';
import { aService } from '../builders.ts';

export const PROTOS = path.join(projectRoot, 'protos');

/** What clients generate from the proto files. */
export const DEFINITIONS = loadDefinitions(PROTOS);

export const LIMITS: GrpcLimits = {
  messageBytesMax: 1_000_000,
  headerBytesMax: 8_192,
  connectionsMax: 10_000,
  tensorsMax: 16,
  callsMax: 100,
  streamRequestsMax: 4,
  stallMsMax: 10_000,
  lingerMsMax: 5_000,
};

/** Far more than tests need. */
export const BUDGET_BYTES = 1_000_000_000;

export type ServerParts = Partial<Service> & {
  readonly limits?: Partial<GrpcLimits>;
  readonly allowedHosts?: readonly string[];
  readonly budget?: MemoryBudget;
  readonly secure?: GrpcServerOptions['secure'];
};

type Message = Readonly<Record<string, unknown>>;

export type Called = {
  /** The answer; undefined where there is none. */
  readonly answer: Message | undefined;
  readonly error: ServiceError | undefined;
  /** What was sent ahead of the answer. */
  readonly metadata: Metadata;
};

/** A server whose model `m` gives back two numbers a row, and a client made from the proto files. Both end with the test. */
export async function aConversation(
  t: Test,
  {
    limits,
    allowedHosts = [],
    budget = new MemoryBudget(BUDGET_BYTES),
    secure,
    ...service
  }: ServerParts = {},
) {
  const server = createGrpcServer({
    service: aService(service),
    limits: { ...LIMITS, ...limits },
    allowedHosts,
    budget,
    intake: new Intake(systemClock),
    protosFolder: PROTOS,
    ...(secure && { secure }),
  });
  const { port } = await server.listen('127.0.0.1', 0);
  const client = aClient(port);
  t.teardown(async () => {
    client.close();
    await server.close();
  });
  return { server, port, ...client };
}

export function aClient(port: number, channel: ChannelCredentials = credentials.createInsecure()) {
  const client = new Client(`127.0.0.1:${port}`, channel, {
    'grpc.max_receive_message_length': -1,
  });
  return {
    close: () => client.close(),
    call: (name: string, request: Message = {}, options: CallOptions = {}) =>
      call(client, name, { request, ...options }),
    /** A call whose message is not even encoded. */
    callBytes: (name: string, bytes: Buffer) => call(client, name, { bytes }),
    stream: (metadata: Readonly<Record<string, string>> = {}) => open(client, metadata),
    watch: (service: string) => watch(client, service),
  };
}

export type CallOptions = {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
};

type Sent = CallOptions & { readonly request?: Message; readonly bytes?: Buffer };

function methodOf(name: string) {
  const service = name === 'Check' || name === 'Watch' ? HEALTH : INFERENCE;
  const method = methodsOf(DEFINITIONS, service)[name];
  if (method === undefined) throw new Error(`no method ${name}`);
  return method;
}

function call(client: Client, name: string, sent: Sent): Promise<Called> {
  const { path: url, requestSerialize, responseDeserialize } = methodOf(name);
  const { request = {}, bytes, deadlineMs, signal } = sent;
  return new Promise((resolve) => {
    let metadata = new Metadata();
    const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
    const started = client.makeUnaryRequest(
      url,
      bytes === undefined ? requestSerialize : () => bytes,
      responseDeserialize,
      request,
      metadataOf(sent.metadata),
      options,
      (error, answer) =>
        resolve({ answer: answer as Message | undefined, error: error ?? undefined, metadata }),
    );
    started.on('metadata', (ahead: Metadata) => {
      metadata = ahead;
    });
    signal?.addEventListener('abort', () => started.cancel());
  });
}

function open(client: Client, metadata: Readonly<Record<string, string>>) {
  const { path: url, requestSerialize, responseDeserialize } = methodOf('ModelStreamInfer');
  const stream = client.makeBidiStreamRequest(
    url,
    requestSerialize,
    responseDeserialize,
    metadataOf(metadata),
  ) as ClientDuplexStream<Message, Message>;
  return { stream, ended: collected(stream) };
}

function watch(client: Client, service: string) {
  const { path: url, requestSerialize, responseDeserialize } = methodOf('Watch');
  const stream = client.makeServerStreamRequest(url, requestSerialize, responseDeserialize, {
    service,
  }) as ClientReadableStream<Message>;
  return { stream, ended: collected(stream) };
}

/** Everything that came, and the status at the end. */
function collected(stream: ClientReadableStream<Message>) {
  const answers: Message[] = [];
  return new Promise<{ answers: Message[]; code: number; details: string }>((resolve) => {
    stream.on('data', (answer: Message) => answers.push(answer));
    stream.on('error', () => {});
    stream.on('status', ({ code, details }) => resolve({ answers, code, details }));
  });
}

function metadataOf(entries: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
  return metadata;
}

/** A request for model `m` with one row of two numbers, raw. */
export function anInfer(parts: Message = {}): Message {
  return {
    model_name: 'm',
    inputs: [anInput()],
    raw_input_contents: [floats(1.5, -2)],
    ...parts,
  };
}

/** A request's own bytes. */
export function encoded(request: Message): Buffer {
  return methodOf('ModelInfer').requestSerialize(request);
}

export function anInput(parts: Message = {}): Message {
  return { name: 'x', datatype: 'FP32', shape: [1, 2], ...parts };
}

export function floats(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes;
}
