import protobuf from 'protobufjs/light.js';
import type { Tensor } from '../../core/tensor.ts';

/** Fields of ModelInferRequest and of its inputs. */
const REQUEST = { model: 1, version: 2, inputs: 5, rawContents: 7 } as const;
const INPUT = { name: 1, datatype: 2, shape: 3 } as const;

const BYTES = 2;

/** A ModelInferRequest with the tensors as raw contents, which are copied once. It has no id. */
export function grpcRequest(
  { model, version }: { readonly model: string; readonly version: string | undefined },
  inputs: readonly Tensor[],
): Uint8Array {
  const head = protobuf.Writer.create();
  head.uint32(tagOf(REQUEST.model)).string(model);
  if (version !== undefined) head.uint32(tagOf(REQUEST.version)).string(version);
  for (const { name, dtype, shape } of inputs) {
    head.uint32(tagOf(REQUEST.inputs)).fork();
    head.uint32(tagOf(INPUT.name)).string(name);
    head.uint32(tagOf(INPUT.datatype)).string(dtype);
    head.uint32(tagOf(INPUT.shape)).fork();
    for (const size of shape) head.int64(size);
    head.ldelim().ldelim();
  }
  const parts: Uint8Array[] = [head.finish()];
  for (const { data } of inputs) {
    const length = protobuf.Writer.create();
    parts.push(length.uint32(tagOf(REQUEST.rawContents)).uint32(data.byteLength).finish(), data);
  }
  return Buffer.concat(parts);
}

/** The tag of a field of bytes, of text, of a message or of packed numbers. */
function tagOf(field: number): number {
  return (field << 3) | BYTES;
}
