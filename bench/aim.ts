import type { Tensor } from '../src/core/tensor.ts';
import type { LoadPlan } from '../src/load/nouns/plan.ts';
import type { Protocol } from '../src/load/nouns/target.ts';
import type { Address } from '../src/load/nouns/wire.ts';
import { requestsFor, wireFor } from '../src/load/requests/write-requests.ts';

/** What a load sends, and where. */
export type Aim = Pick<LoadPlan, 'wire' | 'requests'>;

/** A server of this machine, and the model that is asked. */
export type Asked = {
  readonly port: number;
  readonly protocol: Protocol;
  readonly model: string;
};

/** All gRPC calls share one connection, as those of one channel do. */
const GRPC_CONNECTIONS = 1;

/** One infer request for each tensor, over and over. */
export function inferAim({ port, protocol, model }: Asked, tensors: readonly Tensor[]): Aim {
  const target = { address: here(port), protocol, model, version: undefined, headers: {} };
  const samples = tensors.map((tensor) => ({ inputs: [tensor] }));
  return { wire: wireFor(target, GRPC_CONNECTIONS), requests: requestsFor(target, samples) };
}

/** The very same requests for another path: an HTTP route, or a gRPC method. */
export function aimAt({ requests, wire }: Aim, port: number, path: string): Aim {
  const address = here(port);
  if (wire.kind === 'http') {
    return { wire: { ...wire, address }, requests: requests.map((each) => postTo(path, each)) };
  }
  return { wire: { ...wire, address, path }, requests };
}

/** One row of values between 0 and 1. */
export function oneRow(name: string, columns: number): Tensor {
  const values = Float32Array.from({ length: columns }, (_, at) => at / columns);
  return { name, dtype: 'FP32', shape: [1, columns], data: new Uint8Array(values.buffer) };
}

export function here(port: number): Address {
  return { host: '127.0.0.1', port, tls: false };
}

function postTo(path: string, request: Uint8Array): Uint8Array {
  const rest = request.subarray(request.indexOf(0x0d));
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1`), rest]);
}
