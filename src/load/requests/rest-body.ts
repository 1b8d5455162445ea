import type { Tensor } from '../../core/tensor.ts';
import { jsonElements } from './json-elements.ts';

/** The body of a request with all of its tensors in JSON. Throws an Error for bytes that are no text. */
export function restJsonBody(inputs: readonly Tensor[]): Uint8Array {
  const written = inputs.map((input) => `{${headOf(input)},"data":[${jsonElements(input)}]}`);
  return Buffer.from(`{"inputs":[${written.join(',')}]}`);
}

/** The same with the tensors' bytes behind the JSON, and the length of that. It asks for an answer in the same form. */
export function restBinaryBody(inputs: readonly Tensor[]): {
  readonly bytes: Uint8Array;
  readonly headBytes: number;
} {
  const written = inputs.map(
    (input) => `{${headOf(input)},"parameters":{"binary_data_size":${input.data.byteLength}}}`,
  );
  const head = Buffer.from(
    `{"parameters":{"binary_data_output":true},"inputs":[${written.join(',')}]}`,
  );
  const bytes = Buffer.concat([head, ...inputs.map(({ data }) => data)]);
  return { bytes, headBytes: head.byteLength };
}

function headOf({ name, dtype, shape }: Tensor): string {
  return `"name":${JSON.stringify(name)},"shape":[${shape.join(',')}],"datatype":"${dtype}"`;
}
