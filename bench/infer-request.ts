import { postBytes } from '../src/load/connection.ts';

export type BinaryInput = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
};

/** The body of an infer request with one FP32 input in binary, and the length of the JSON in front of it. */
export type InferBody = { readonly bytes: Buffer; readonly headBytes: number };

export function inferBody({ name, shape, data }: BinaryInput): InferBody {
  const head = Buffer.from(
    JSON.stringify({
      inputs: [
        { name, datatype: 'FP32', shape, parameters: { binary_data_size: data.byteLength } },
      ],
      parameters: { binary_data_output: true },
    }),
  );
  return { bytes: Buffer.concat([head, data]), headBytes: head.byteLength };
}

/** One row of values between 0 and 1. */
export function oneRow(name: string, columns: number): BinaryInput {
  const values = Float32Array.from({ length: columns }, (_, at) => at / columns);
  return { name, shape: [1, columns], data: new Uint8Array(values.buffer) };
}

/** A whole infer request. */
export function inferPost(port: number, model: string, body: InferBody): Buffer {
  return postBytes({
    host: `127.0.0.1:${port}`,
    path: `/v2/models/${model}/infer`,
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(body.headBytes),
    },
    body: body.bytes,
  });
}

/** The same body for a route of the echo server: it gives all of it back, or takes it and gives little. */
export function echoPost(port: number, body: InferBody, path: '/echo' | '/take' = '/echo'): Buffer {
  return postBytes({
    host: `127.0.0.1:${port}`,
    path,
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(body.headBytes),
    },
    body: body.bytes,
  });
}
