import { join } from 'node:path';
import { programFolder } from '../src/config/program.ts';
import { INFERENCE, loadDefinitions, methodsOf } from '../src/protocol/grpc/definitions.ts';
import type { BinaryInput } from './infer-request.ts';

/** A unary gRPC call, ready to be sent. */
export type GrpcCall = { readonly path: string; readonly message: Buffer };

/** ModelInfer with one FP32 input as raw bytes. */
export function inferCall(model: string, { name, shape, data }: BinaryInput): GrpcCall {
  const method = methodsOf(loadDefinitions(join(programFolder, 'protos')), INFERENCE)['ModelInfer'];
  if (method === undefined) throw new Error('expected ModelInfer in the proto files, found none');
  const request = {
    model_name: model,
    inputs: [{ name, datatype: 'FP32', shape }],
    raw_input_contents: [data],
  };
  return { path: method.path, message: method.requestSerialize(request) };
}
