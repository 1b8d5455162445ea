import { join } from 'node:path';
import {
  Client,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  Metadata,
  type MethodDefinition,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { fromJSON, loadSync } from '@grpc/proto-loader';
import { projectRoot } from '../../support/project-root.ts';

/** A message as plain data: 64-bit numbers as decimal text, enums by name, bytes as Buffer, fields in snake_case. */
export type Message = { readonly [field: string]: unknown };

export type GrpcReply =
  | { readonly kind: 'answer'; readonly message: Message }
  | { readonly kind: 'refusal'; readonly code: string; readonly message: string };

/** A stream's end: all that came, and how it ended. */
export type StreamEnd = {
  readonly messages: readonly Message[];
  readonly code: string;
  readonly message: string;
};

const DEADLINE_MS = 30_000;
const MESSAGE_BYTES_MAX = 512 * 1_024 * 1_024;

/** Of server reflection only what lists the services. */
const REFLECTION: Parameters<typeof fromJSON>[0] = {
  nested: {
    'grpc.reflection.v1': {
      nested: {
        ServerReflection: {
          methods: {
            ServerReflectionInfo: {
              requestType: 'Request',
              requestStream: true,
              responseType: 'Response',
              responseStream: true,
              comment: '',
            },
          },
        },
        Request: {
          fields: { list_services: { type: 'string', id: 7 } },
          oneofs: { message_request: { oneof: ['list_services'] } },
        },
        Response: { fields: { list_services_response: { type: 'Services', id: 6 } } },
        Services: { fields: { service: { rule: 'repeated', type: 'Service', id: 1 } } },
        Service: { fields: { name: { type: 'string', id: 1 } } },
      },
    },
  },
};

/** Where the services are described that the kit calls. */
const PROTOS = {
  inference: { source: 'grpc_service.proto', service: 'inference.GRPCInferenceService' },
  health: { source: 'health.proto', service: 'grpc.health.v1.Health' },
  reflection: { source: REFLECTION, service: 'grpc.reflection.v1.ServerReflection' },
} as const;

type StreamOptions = {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly service?: GrpcService;
};

export type GrpcService = keyof typeof PROTOS;

/** Calls by name over one channel, with messages as plain data. */
export class GrpcWire {
  readonly #client: Client;
  readonly #methods: Readonly<Record<GrpcService, ServiceClientConstructor['service']>>;

  constructor(address: string) {
    this.#client = new Client(address.replace(/^\w+:\/\//, ''), credentials.createInsecure(), {
      'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
      'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
    });
    this.#methods = {
      inference: methodsOf('inference'),
      health: methodsOf('health'),
      reflection: methodsOf('reflection'),
    };
  }

  /** One call, one answer. Rejects without any answer. */
  async call(
    method: string,
    message: Message = {},
    { service = 'inference' }: { readonly service?: GrpcService } = {},
  ): Promise<GrpcReply> {
    const { path, requestSerialize, responseDeserialize } = this.#method(service, method);
    return await new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        message,
        new Metadata(),
        { deadline: Date.now() + DEADLINE_MS },
        (error, answer) => {
          if (error) resolve({ kind: 'refusal', ...refusalOf(error) });
          else resolve({ kind: 'answer', message: answer as Message });
        },
      );
    });
  }

  /** Sends all messages on one stream, closes it, and gathers what comes until it ends. */
  async stream(
    method: string,
    messages: readonly Message[],
    { metadata = {}, service = 'inference' }: StreamOptions = {},
  ): Promise<StreamEnd> {
    const { path, requestSerialize, responseDeserialize } = this.#method(service, method);
    const stream = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadataOf(metadata),
      { deadline: Date.now() + DEADLINE_MS },
    );
    const got: Message[] = [];
    return await new Promise((resolve) => {
      stream.on('data', (answer: Message) => got.push(answer));
      // The status says all that the error says.
      stream.on('error', () => undefined);
      stream.on('status', ({ code, details }) =>
        resolve({ messages: got, code: nameOf(code), message: details }),
      );
      for (const message of messages) stream.write(message);
      stream.end();
    });
  }

  /** Reads the first message of a stream of the server's, then hangs up. */
  async first(method: string, message: Message, service: GrpcService): Promise<GrpcReply> {
    const { path, requestSerialize, responseDeserialize } = this.#method(service, method);
    const stream = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      new Metadata(),
      { deadline: Date.now() + DEADLINE_MS },
    );
    return await new Promise((resolve) => {
      stream.on('data', (answer: Message) => {
        resolve({ kind: 'answer', message: answer });
        stream.cancel();
      });
      stream.on('error', (error: ServiceError) =>
        resolve({ kind: 'refusal', ...refusalOf(error) }),
      );
    });
  }

  /** The services that server reflection lists; empty where there is no reflection. */
  async reflectedServices(): Promise<readonly string[]> {
    const end = await this.stream('ServerReflectionInfo', [{ list_services: '' }], {
      service: 'reflection',
    });
    const [first] = end.messages;
    const listed = first?.['list_services_response'] as
      | { service?: { name: string }[] }
      | undefined;
    return (listed?.service ?? []).map(({ name }) => name);
  }

  close(): void {
    this.#client.close();
  }

  #method(service: GrpcService, method: string): MethodDefinition<object, object> {
    const found = this.#methods[service][method];
    if (!found) throw new Error(`${PROTOS[service].service} has no call ${method}`);
    return found;
  }
}

const OPTIONS = {
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
} as const;

function methodsOf(name: GrpcService): ServiceClientConstructor['service'] {
  const { source, service } = PROTOS[name];
  const folder = join(projectRoot, 'protos');
  const definition =
    typeof source === 'string'
      ? loadSync(join(folder, source), { ...OPTIONS, includeDirs: [folder] })
      : fromJSON(source, OPTIONS);
  let at: GrpcObject[string] | undefined = loadPackageDefinition(definition);
  for (const part of service.split('.')) at = (at as GrpcObject | undefined)?.[part];
  if (!at) throw new Error(`nothing describes the service ${service}`);
  return (at as ServiceClientConstructor).service;
}

function metadataOf(fields: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(fields)) metadata.set(key, value);
  return metadata;
}

function refusalOf({ code, details }: ServiceError) {
  return { code: nameOf(code), message: details };
}

function nameOf(code: number): string {
  return status[code] ?? String(code);
}
