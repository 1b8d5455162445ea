import type { Server, ServerDuplexStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

import { nameMapEntries } from './map-entries.ts';

type Stream = ServerDuplexStream<unknown, unknown>;

/**
 * Adds server reflection, v1 and v1alpha, so that tools need no proto files. The library answers as fast as it is asked; here it
 * is made to wait for callers who do not read. Returns the paths of its calls, all of which take any number of questions.
 */
export function addReflection(server: Server, definitions: PackageDefinition): readonly string[] {
  const paths: string[] = [];
  const addService: Server['addService'] = (service, implementation) => {
    const patient: UntypedServiceImplementation = {};
    for (const [name, handler] of Object.entries(implementation)) {
      const answer = handler as (stream: Stream) => void;
      patient[name] = (stream: Stream) => answer(patientStream(stream));
    }
    server.addService(service, patient);
    paths.push(...Object.values(service).map((method) => method.path));
  };
  new ReflectionService(nameMapEntries(definitions)).addToServer({ addService });
  return paths;
}

/** Reads nothing more while what has been written waits. */
function patientStream(stream: Stream): Stream {
  const write = stream.write.bind(stream) as (message: unknown) => boolean;
  stream.on('drain', () => stream.resume());
  stream.write = (message: unknown) => {
    const hasRoom = write(message);
    if (!hasRoom) stream.pause();
    return hasRoom;
  };
  return stream;
}
