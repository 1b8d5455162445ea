import { byteLengthOf, formatShape, isDtype, type Tensor } from '../../core/tensor.ts';
import type { AnswerForm } from '../nouns/answer-check.ts';
import { headerOf } from '../wire/http-answer.ts';
import { fromContent } from './data-tensor.ts';
import {
  isJsonArray,
  isJsonObject,
  type Json,
  type JsonObject,
  parseExactJson,
  showJson,
} from './exact-json.ts';
import { grpcOutputs, grpcOutputsStart } from './grpc-answer.ts';

/** The part of an answer that holds the outputs: not its id, nor the version that answered, which may differ between equal ones. */
export type OutputsPart = {
  /** From the first output to the end of the body. */
  readonly bytes: Buffer;
  /** How many of these are JSON; the others are binary. */
  readonly jsonBytes: number;
};

/** Finds the outputs without reading them; as cheap as it is, so that equal answers cost little. */
export function outputsPart(form: AnswerForm, body: Buffer, head: string): OutputsPart {
  if (form === 'grpc') return { bytes: body.subarray(grpcOutputsStart(body)), jsonBytes: 0 };
  const start = Math.max(0, body.indexOf('"outputs"'));
  return { bytes: body.subarray(start), jsonBytes: headBytesOf(form, body, head) - start };
}

/** The outputs of an answer; their data may be views of its body. Throws an Error that says why they cannot be read. */
export function readOutputs(form: AnswerForm, body: Buffer, head: string): readonly Tensor[] {
  const outputs =
    form === 'grpc' ? grpcOutputs(body) : restOutputs(body, headBytesOf(form, body, head));
  if (outputs.length === 0) throw new Error('expected at least one output, found none');
  for (const output of outputs) checkSize(output);
  return outputs;
}

function headBytesOf(form: AnswerForm, body: Buffer, head: string): number {
  const length = form === 'rest-binary' ? headerOf(head, HEADER_LENGTH) : undefined;
  if (length === undefined) return body.byteLength;
  const bytes = /^\d+$/.test(length) ? Number(length) : Number.NaN;
  if (bytes <= body.byteLength) return bytes;
  throw new Error(`${HEADER_LENGTH}: expected at most ${body.byteLength}, found ${length}`);
}

const HEADER_LENGTH = 'inference-header-content-length';

function restOutputs(body: Buffer, headBytes: number): readonly Tensor[] {
  const json = parseExactJson(body.toString('utf8', 0, headBytes));
  const outputs = isJsonObject(json) ? json['outputs'] : undefined;
  if (!isJsonArray(outputs)) {
    throw new Error(`expected an object with the list "outputs", found ${showJson(json)}`);
  }
  let at = headBytes;
  return outputs.map((output, index) => {
    const { place, ...head } = headOf(output, index);
    const bytes = binarySizeOf(output);
    if (bytes === undefined) {
      const content = isJsonObject(output) ? output['data'] : undefined;
      return { ...head, data: fromContent(content, { place, ...head }) };
    }
    at += bytes;
    if (at <= body.byteLength) return { ...head, data: body.subarray(at - bytes, at) };
    throw new Error(`${place}: expected ${bytes} bytes, found ${body.byteLength - at + bytes}`);
  });
}

function headOf(output: Json, index: number) {
  if (!isJsonObject(output)) {
    throw new Error(`outputs[${index}]: expected an object, found ${showJson(output)}`);
  }
  const { name, datatype, shape } = output as Partial<JsonObject>;
  if (typeof name !== 'string') {
    throw new Error(`outputs[${index}].name: expected a string, found ${showJson(name)}`);
  }
  const place = `output ${JSON.stringify(name)}`;
  if (typeof datatype !== 'string' || !isDtype(datatype)) {
    throw new Error(`${place}: expected a datatype, found ${showJson(datatype)}`);
  }
  if (!isJsonArray(shape)) throw new Error(`${place}: expected a shape, found ${showJson(shape)}`);
  return { place, name, dtype: datatype, shape: shape.map((size) => sizeOf(size, place)) };
}

function sizeOf(size: Json, place: string): number {
  if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) return size;
  throw new Error(`${place}: expected a whole number in the shape, found ${showJson(size)}`);
}

/** undefined: the output's data is in the JSON. */
function binarySizeOf(output: Json): number | undefined {
  const parameters = isJsonObject(output) ? output['parameters'] : undefined;
  const size = isJsonObject(parameters) ? parameters['binary_data_size'] : undefined;
  return size === undefined ? undefined : sizeOf(size, 'binary_data_size');
}

function checkSize({ name, dtype, shape, data }: Tensor): void {
  const bytes = byteLengthOf(dtype, shape);
  if (bytes === undefined || bytes === data.byteLength) return;
  throw new Error(
    `output ${JSON.stringify(name)}: expected ${bytes} bytes for ${dtype} ${formatShape(shape)}, found ${data.byteLength}`,
  );
}
