import type { InferResponse } from '../../core/infer.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Wanted } from './decode.ts';
import { JsonElements } from './encode-json.ts';
import { finish, type Turns } from './turns.ts';

/** An answer as it goes onto the wire. */
export type Encoded = {
  readonly contentType: 'application/json' | 'application/octet-stream';
  /** For the header `inference-header-content-length`; undefined where all is JSON. */
  readonly headBytes: number | undefined;
  readonly body: string | Buffer;
};

/**
 * From an InferResponse to HTTP: each output in JSON or behind it in binary, as the request said for that output, else for
 * all. Outputs in JSON carry no `parameters`: clients take those for a sign of binary data.
 * @throws ServeError `invalid_input` where FP16 or BF16 is wanted in JSON.
 */
export async function encodeInfer(
  response: InferResponse,
  wanted: Wanted,
  turns: Turns,
): Promise<Encoded> {
  const outputs: string[] = [];
  const binary: Uint8Array[] = [];
  let binaryBytes = 0;
  for (const tensor of response.outputs) {
    if (wanted.binaryByOutput.get(tensor.name) ?? wanted.binary) {
      const size = tensor.data.byteLength;
      outputs.push(`${openingOf(tensor)},"parameters":{"binary_data_size":${size}}}`);
      binary.push(tensor.data);
      binaryBytes += size;
    } else {
      const elements = new JsonElements(tensor);
      await finish(elements, turns);
      outputs.push(`${openingOf(tensor)},"data":[${elements.text()}]}`);
    }
  }
  const head = headOf(response, wanted.id, outputs);
  if (binaryBytes === 0)
    return { contentType: 'application/json', headBytes: undefined, body: head };
  return withBinary(head, binary, binaryBytes);
}

function openingOf({ name, dtype, shape }: Tensor): string {
  return `{"name":${JSON.stringify(name)},"datatype":"${dtype}","shape":[${shape.join(',')}]`;
}

function headOf(
  { model, version }: InferResponse,
  id: string | undefined,
  outputs: readonly string[],
): string {
  const echo = id === undefined || id === '' ? '' : `"id":${JSON.stringify(id)},`;
  return `{${echo}"model_name":${JSON.stringify(model)},"model_version":${JSON.stringify(version)},"outputs":[${outputs.join(',')}]}`;
}

function withBinary(head: string, tensors: readonly Uint8Array[], binaryBytes: number): Encoded {
  const headBytes = Buffer.byteLength(head);
  const body = Buffer.allocUnsafe(headBytes + binaryBytes);
  let at = body.write(head);
  for (const tensor of tensors) {
    body.set(tensor, at);
    at += tensor.byteLength;
  }
  return { contentType: 'application/octet-stream', headBytes, body };
}
