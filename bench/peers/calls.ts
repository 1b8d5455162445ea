import { join } from 'node:path';
import { programFolder } from '../../src/config/program.ts';
import type { Wire } from '../../src/load/nouns/wire.ts';
import { INFERENCE, loadDefinitions, methodsOf } from '../../src/protocol/grpc/definitions.ts';
import type { BenchedModel } from './benched-models.ts';
import type { Call } from './peer.ts';

/** The ports that a server listens at; some need one only. */
export type Ports = { readonly httpPort: number; readonly grpcPort: number };

/** HTTP/2 connections that gRPC calls share. */
const GRPC_CONNECTIONS = 4;
const HOST = '127.0.0.1';

/** How the call's requests reach the server. */
export function wireOf(call: Call, { httpPort, grpcPort }: Ports): Wire {
  if (call.kind !== 'grpc') {
    return { kind: 'http', address: { host: HOST, port: httpPort, tls: false } };
  }
  return {
    kind: 'grpc',
    address: { host: HOST, port: grpcPort, tls: false },
    path: inferMethod().path,
    connections: GRPC_CONNECTIONS,
    headers: {},
  };
}

/** The bytes of one request with one row. */
export function requestOf(call: Call, model: BenchedModel, row: Float32Array): Uint8Array {
  const data = Buffer.from(row.buffer, row.byteOffset, row.byteLength);
  const shape = [1, ...model.rowShape];
  switch (call.kind) {
    case 'grpc':
      return inferMethod().requestSerialize({
        model_name: call.model,
        inputs: [{ name: model.input, datatype: 'FP32', shape }],
        raw_input_contents: [data],
      });
    case 'rest-binary': {
      const parameters = { binary_data_size: data.byteLength };
      const inputs = [{ name: model.input, datatype: 'FP32', shape, parameters }];
      const head = Buffer.from(
        JSON.stringify({ inputs, parameters: { binary_data_output: true } }),
      );
      return post(`/v2/models/${call.model}/infer`, Buffer.concat([head, data]), {
        'content-type': 'application/octet-stream',
        'inference-header-content-length': String(head.byteLength),
      });
    }
    case 'rest-json': {
      const inputs = [{ name: model.input, datatype: 'FP32', shape, data: [...row] }];
      const body = Buffer.from(JSON.stringify({ inputs }));
      return post(`/v2/models/${call.model}/infer`, body, { 'content-type': 'application/json' });
    }
    case 'raw':
      return post(call.path, data, { 'content-type': 'application/octet-stream' });
    case 'json': {
      const body = Buffer.from(JSON.stringify({ x: [nested([...row], model.rowShape)] }));
      return post(call.path, body, { 'content-type': 'application/json' });
    }
  }
}

/** The row that an answer holds. Throws an Error where it holds none. */
export function rowIn(call: Call, body: Buffer, head: string): Float32Array {
  switch (call.kind) {
    case 'grpc': {
      const answer = inferMethod().responseDeserialize(body) as GrpcAnswer;
      const [raw] = answer.raw_output_contents ?? [];
      if (raw !== undefined) return floatsIn(raw);
      return Float32Array.from(answer.outputs?.[0]?.contents?.fp32_contents ?? []);
    }
    case 'rest-binary': {
      const length = /\r\ninference-header-content-length: *(\d+)/i.exec(head)?.[1];
      if (length !== undefined) return floatsIn(body.subarray(Number(length)));
      throw new Error(`expected an answer in binary, found ${body.toString('utf8', 0, 200)}`);
    }
    case 'rest-json': {
      const { outputs } = JSON.parse(body.toString()) as JsonAnswer;
      return Float32Array.from(outputs[0]?.data.flat(9) as number[]);
    }
    case 'raw':
      return floatsIn(body);
    case 'json':
      return Float32Array.from((JSON.parse(body.toString()) as number[][]).flat(9) as number[]);
  }
}

/** Undefined where both rows are equal within `absolute`; otherwise what differs. */
export function differenceOf(
  found: Float32Array,
  expected: Float32Array,
  absolute: number,
): string | undefined {
  if (found.length !== expected.length) {
    return `expected ${expected.length} numbers, found ${found.length}`;
  }
  const at = expected.findIndex((value, place) => {
    // Written so that NaN differs from everything.
    return !(Math.abs(value - (found[place] ?? Number.NaN)) <= absolute);
  });
  if (at < 0) return undefined;
  return `expected ${expected[at]} at place ${at}, found ${found[at]}`;
}

type GrpcAnswer = {
  readonly raw_output_contents?: readonly Buffer[];
  readonly outputs?: readonly {
    readonly contents?: { readonly fp32_contents?: readonly number[] };
  }[];
};

type JsonAnswer = { readonly outputs: readonly { readonly data: readonly unknown[] }[] };

type InferMethod = ReturnType<typeof methodsOf>[string];
let method: InferMethod | undefined;

function inferMethod(): NonNullable<InferMethod> {
  method ??= methodsOf(loadDefinitions(join(programFolder, 'protos')), INFERENCE)['ModelInfer'];
  if (method === undefined) throw new Error('expected ModelInfer in the proto files, found none');
  return method;
}

function post(path: string, body: Uint8Array, headers: Readonly<Record<string, string>>): Buffer {
  const lines = [`POST ${path} HTTP/1.1`, `host: ${HOST}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  lines.push(`content-length: ${body.byteLength}`, '', '');
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), body]);
}

function floatsIn(bytes: Uint8Array): Float32Array {
  // A copy, because floats must lie at a multiple of four.
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

/** A flat list as nested ones of the given shape. */
function nested(values: readonly number[], [rows = 0, ...rest]: readonly number[]): unknown {
  if (rest.length === 0) return values;
  const size = values.length / rows;
  return Array.from({ length: rows }, (_, at) =>
    nested(values.slice(at * size, (at + 1) * size), rest),
  );
}
