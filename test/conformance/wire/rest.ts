import {
  bytesOf,
  type Datatype,
  elementCount,
  isDatatype,
  pack,
  unpack,
  type Value,
} from './datatype.ts';
import { errorOf, type HttpAnswer, type HttpRequest, type HttpWire } from './http.ts';
import type { InferCall, Parameters, Reply } from './infer-call.ts';
import { isArray, isObject, type Json, JsonNumber, type JsonObject, parseJson } from './json.ts';
import type { KitTensor } from './tensor.ts';

export const HEADER_LENGTH = 'inference-header-content-length';

/** How a model, and a version of it, is addressed. */
export function modelPath(model: string, version?: string): string {
  const at = `/v2/models/${encodeURIComponent(model)}`;
  return version === undefined ? at : `${at}/versions/${encodeURIComponent(version)}`;
}

/** An inference with all tensors as JSON, both ways. */
export async function inferJson(http: HttpWire, call: InferCall): Promise<Reply> {
  return replyOf(await http.send(jsonRequest(call)));
}

/** An inference with all tensors as bytes behind the JSON, both ways. */
export async function inferBinary(http: HttpWire, call: InferCall): Promise<Reply> {
  return replyOf(await http.send(binaryRequest(call)));
}

export function jsonRequest(call: InferCall): HttpRequest {
  const inputs = call.inputs.map(
    (tensor) => `{${headOf(tensor)},"data":[${jsonElements(tensor).join(',')}]}`,
  );
  const body = `{${topOf(call)}"inputs":[${inputs.join(',')}]}`;
  return {
    method: 'POST',
    path: `${modelPath(call.model, call.version)}/infer`,
    headers: { 'content-type': 'application/json' },
    body,
  };
}

export function binaryRequest(call: InferCall): HttpRequest {
  const inputs = call.inputs.map(
    (tensor) => `{${headOf(tensor)},"parameters":{"binary_data_size":${tensor.bytes.length}}}`,
  );
  const parameters = { ...call.parameters, binary_data_output: true };
  const head = Buffer.from(`{${topOf({ ...call, parameters })}"inputs":[${inputs.join(',')}]}`);
  return {
    method: 'POST',
    path: `${modelPath(call.model, call.version)}/infer`,
    headers: { 'content-type': 'application/octet-stream', [HEADER_LENGTH]: head.length },
    body: Buffer.concat([head, ...call.inputs.map(({ bytes }) => bytes)]),
  };
}

/** A tensor's elements as JSON. Numbers that JSON lacks go as the bare tokens that servers of the protocol take. */
export function jsonElements({ datatype, bytes }: KitTensor): readonly string[] {
  return unpack(datatype, bytes).map((value) => {
    if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('utf8'));
    return Object.is(value, -0) ? '-0.0' : String(value);
  });
}

function topOf({ id, parameters, outputs }: InferCall): string {
  const parts = [
    id === undefined ? '' : `"id":${JSON.stringify(id)},`,
    parameters === undefined ? '' : `"parameters":${parametersOf(parameters)},`,
  ];
  if (outputs) {
    const listed = outputs.map(({ name, parameters: own }) =>
      own
        ? `{"name":${JSON.stringify(name)},"parameters":${parametersOf(own)}}`
        : `{"name":${JSON.stringify(name)}}`,
    );
    parts.push(`"outputs":[${listed.join(',')}],`);
  }
  return parts.join('');
}

function parametersOf(parameters: Parameters): string {
  const fields = Object.entries(parameters).map(([key, value]) => {
    const written = typeof value === 'bigint' ? String(value) : JSON.stringify(value);
    return `${JSON.stringify(key)}:${written}`;
  });
  return `{${fields.join(',')}}`;
}

function headOf({ name, datatype, shape }: KitTensor): string {
  return `"name":${JSON.stringify(name)},"shape":[${shape}],"datatype":${JSON.stringify(datatype)}`;
}

/** Reads an answer to an inference, however its tensors are written. */
export function replyOf(answer: HttpAnswer): Reply {
  if (answer.status !== 200) {
    const message = errorOf(answer) ?? answer.body.subarray(0, 200).toString('utf8');
    return { kind: 'refusal', status: String(answer.status), message };
  }
  try {
    return { kind: 'answer', answer: answerOf(answer) };
  } catch (error) {
    return { kind: 'broken', what: error instanceof Error ? error.message : String(error) };
  }
}

function answerOf(http: HttpAnswer) {
  const [head, tail] = splitBody(http);
  const listed = head['outputs'];
  if (!isArray(listed)) throw new Error('no list "outputs"');
  let at = 0;
  const outputs = listed.map((output) => {
    if (!isObject(output)) throw new Error('an output that is no object');
    const size = binarySizeOf(output);
    if (size === undefined) return jsonTensor(output);
    const bytes = tail.subarray(at, at + size);
    if (bytes.length < size) throw new Error(`the body ends ${size - bytes.length} bytes early`);
    at += size;
    return { ...tensorHead(output), bytes };
  });
  if (at < tail.length) throw new Error(`${tail.length - at} bytes behind the last output`);
  return {
    model: textOf(head, 'model_name') ?? '',
    version: textOf(head, 'model_version') ?? '',
    id: textOf(head, 'id') ?? '',
    outputs,
  };
}

function splitBody({ headers, body, json }: HttpAnswer): readonly [JsonObject, Buffer] {
  const length = headers[HEADER_LENGTH];
  if (length === undefined) {
    if (!isObject(json)) throw new Error('a body that is no JSON object');
    return [json, Buffer.alloc(0)];
  }
  const at = Number(length);
  if (!Number.isInteger(at) || at < 0 || at > body.length) {
    throw new Error(`${HEADER_LENGTH} ${length} with a body of ${body.length} bytes`);
  }
  const head = parseHead(body.subarray(0, at));
  return [head, body.subarray(at)];
}

function parseHead(bytes: Buffer): JsonObject {
  const head = parseJson(bytes.toString('utf8'));
  if (!isObject(head)) throw new Error('a head that is no JSON object');
  return head;
}

function binarySizeOf(output: JsonObject): number | undefined {
  const parameters = output['parameters'];
  if (!isObject(parameters)) return undefined;
  const size = parameters['binary_data_size'];
  return size instanceof JsonNumber ? Number(size.text) : undefined;
}

function tensorHead(output: JsonObject) {
  const { name, datatype, shape } = {
    name: output['name'],
    datatype: output['datatype'],
    shape: output['shape'],
  };
  if (typeof name !== 'string') throw new Error('an output without a name');
  if (!isDatatype(datatype)) throw new Error(`${name}: datatype ${JSON.stringify(datatype)}`);
  if (!isArray(shape)) throw new Error(`${name}: no shape`);
  return { name, datatype, shape: shape.map(sizeOf) };
}

function sizeOf(size: Json): number {
  if (size instanceof JsonNumber) return Number(size.text);
  throw new Error(`a dimension that is no number: ${JSON.stringify(size)}`);
}

function jsonTensor(output: JsonObject): KitTensor {
  const head = tensorHead(output);
  const { name, datatype, shape } = head;
  if (output['data'] === undefined) throw new Error(`${name}: neither data nor a binary size`);
  const values = flatten(output['data']).map((value) => elementOf(datatype, value));
  if (values.length !== elementCount(shape)) {
    throw new Error(`${name}: ${values.length} elements for shape [${shape}]`);
  }
  return { ...head, bytes: pack(datatype, values) };
}

function flatten(data: Json): readonly Json[] {
  return isArray(data) ? data.flatMap(flatten) : [data];
}

function elementOf(datatype: Datatype, found: Json): Value {
  if (datatype === 'BYTES') {
    if (typeof found === 'string') return bytesOf(found);
    throw new Error(`expected a string, found ${JSON.stringify(found)}`);
  }
  if (datatype === 'BOOL' && typeof found === 'boolean') return found;
  if (!(found instanceof JsonNumber)) {
    throw new Error(`expected a ${datatype}, found ${JSON.stringify(found)}`);
  }
  return datatype.includes('64') && datatype !== 'FP64' ? BigInt(found.text) : Number(found.text);
}

function textOf(head: JsonObject, key: string): string | undefined {
  const found = head[key];
  if (found === undefined) return undefined;
  if (typeof found !== 'string') throw new Error(`"${key}" is no string`);
  return found;
}
