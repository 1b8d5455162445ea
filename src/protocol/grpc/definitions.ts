import type {
  MethodDefinition,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';

import { type Sendable, sendsUnwritten, UnwrittenMessage } from './unwritten-message.ts';

/** The messages of one method, to objects and back. Field names are those of the proto files; 64-bit numbers come as digits. */
export type Codec = Pick<
  MethodDefinition<object, object>,
  'requestDeserialize' | 'responseSerialize'
>;

export const INFERENCE = 'inference.GRPCInferenceService';
export const HEALTH = 'grpc.health.v1.Health';

const FILES = ['grpc_service.proto', 'health.proto'];

/** Reads the proto files of the data plane from the folder that holds them. */
export function loadDefinitions(protosFolder: string): PackageDefinition {
  return loadSync(FILES, {
    includeDirs: [protosFolder],
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  });
}

type Service = Readonly<Record<string, MethodDefinition<object, object>>>;

/** The methods of a service by their names. */
export function methodsOf(definitions: PackageDefinition, service: string): Service {
  const found = definitions[service];
  if (found === undefined || 'format' in found) {
    throw new Error(`expected service ${service} in the proto files, found none`);
  }
  return found as unknown as Service;
}

/**
 * The service with messages as bytes both ways: the library would end a call whose message is malformed with an error of its
 * own, and the methods that matter read and write theirs by hand.
 */
export function inBytes(methods: Service): ServiceDefinition<UntypedServiceImplementation> {
  const responseSerialize = sendsUnwritten() ? asItIs : written;
  const entries = Object.entries(methods).map(([name, method]) => [
    name,
    {
      ...method,
      requestDeserialize: asItIs,
      responseSerialize,
      requestSerialize: asItIs,
      responseDeserialize: asItIs,
    },
  ]);
  return Object.fromEntries(entries);
}

function asItIs(bytes: Buffer): Buffer {
  return bytes;
}

function written(message: Sendable): Buffer {
  return message instanceof UnwrittenMessage ? message.toBuffer() : message;
}
