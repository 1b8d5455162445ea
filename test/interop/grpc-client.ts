import { join } from 'node:path';
import {
  type Client,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

import { projectRoot } from '../support/project-root.ts';

type Message = Readonly<Record<string, unknown>>;
type Done = (error: ServiceError | null, answer: Message) => void;
type Call = (request: Message, metadata: Metadata, done: Done) => void;

/** A client that knows nothing but the .proto file, as a stranger would make it. */
export function grpcClient(address: string, secured = credentials.createInsecure(), options = {}) {
  const file = join(projectRoot, 'protos', 'grpc_service.proto');
  const definition = loadSync(file, { keepCase: true, longs: String, enums: String });
  const { inference } = loadPackageDefinition(definition) as unknown as {
    inference: { GRPCInferenceService: new (...given: unknown[]) => Client & Record<string, Call> };
  };
  const client = new inference.GRPCInferenceService(address, secured, options);
  return {
    call: (method: string, request: Message, metadata = new Metadata()) =>
      new Promise<Message>((resolve, reject) => {
        const done: Done = (error, answer) => (error ? reject(error) : resolve(answer));
        client[method]?.call(client, request, metadata, done);
      }),
    close: () => client.close(),
  };
}
