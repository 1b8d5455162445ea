import { isDatatype, pack, unpack, type Value } from './datatype.ts';
import type { GrpcWire, Message } from './grpc.ts';
import type { InferAnswer, InferCall, Parameters, Reply } from './infer-call.ts';
import type { KitTensor } from './tensor.ts';

/** The field of typed contents that a datatype goes in; those without one travel raw only. */
const CONTENTS: Readonly<Record<string, string>> = {
  BOOL: 'bool_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
};

export function hasTypedContents(datatype: string): boolean {
  return Object.hasOwn(CONTENTS, datatype);
}

/** An inference with the tensors as raw bytes. */
export async function inferRaw(grpc: GrpcWire, call: InferCall): Promise<Reply> {
  return await infer(grpc, rawMessage(call));
}

/** An inference with the tensors as typed contents. */
export async function inferTyped(grpc: GrpcWire, call: InferCall): Promise<Reply> {
  return await infer(grpc, typedMessage(call));
}

export function rawMessage(call: InferCall): Message {
  return {
    ...commonMessage(call),
    inputs: call.inputs.map(headMessage),
    raw_input_contents: call.inputs.map(({ bytes }) => Buffer.from(bytes)),
  };
}

export function typedMessage(call: InferCall): Message {
  return { ...commonMessage(call), inputs: call.inputs.map(typedInput) };
}

function typedInput(tensor: KitTensor): Message {
  const field = CONTENTS[tensor.datatype];
  if (field === undefined) throw new Error(`${tensor.datatype} has no typed contents`);
  const elements = unpack(tensor.datatype, tensor.bytes).map((value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return { ...headMessage(tensor), contents: { [field]: elements } };
}

function headMessage({ name, datatype, shape }: KitTensor): Message {
  return { name, datatype, shape: shape.map(String) };
}

function commonMessage({ model, version, id, parameters, outputs }: InferCall): Message {
  return {
    model_name: model,
    ...(version !== undefined && { model_version: version }),
    ...(id !== undefined && { id }),
    ...(parameters && { parameters: parametersMessage(parameters) }),
    ...(outputs && {
      outputs: outputs.map(({ name, parameters: own }) => ({
        name,
        ...(own && { parameters: parametersMessage(own) }),
      })),
    }),
  };
}

function parametersMessage(parameters: Parameters): Message {
  const fields = Object.entries(parameters).map(([key, value]) => {
    if (typeof value === 'boolean') return [key, { bool_param: value }];
    if (typeof value === 'bigint') return [key, { int64_param: String(value) }];
    return [key, { string_param: value }];
  });
  return Object.fromEntries(fields);
}

async function infer(grpc: GrpcWire, message: Message): Promise<Reply> {
  const reply = await grpc.call('ModelInfer', message);
  if (reply.kind === 'refusal') {
    return { kind: 'refusal', status: reply.code, message: reply.message };
  }
  return replyOf(reply.message);
}

/** Reads a ModelInferResponse, raw or typed. */
export function replyOf(message: Message): Reply {
  try {
    return { kind: 'answer', answer: answerOf(message) };
  } catch (error) {
    return { kind: 'broken', what: error instanceof Error ? error.message : String(error) };
  }
}

function answerOf(message: Message): InferAnswer {
  const outputs = listOf(message, 'outputs') as readonly Message[];
  const raw = listOf(message, 'raw_output_contents') as readonly Uint8Array[];
  if (raw.length > 0 && raw.length !== outputs.length) {
    throw new Error(`${raw.length} raw contents for ${outputs.length} outputs`);
  }
  return {
    model: String(message['model_name']),
    version: String(message['model_version']),
    id: String(message['id']),
    outputs: outputs.map((output, index) => tensorOf(output, raw[index])),
  };
}

function tensorOf(output: Message, raw: Uint8Array | undefined): KitTensor {
  const { name, datatype } = { name: String(output['name']), datatype: output['datatype'] };
  if (!isDatatype(datatype)) throw new Error(`${name}: datatype ${String(datatype)}`);
  const shape = listOf(output, 'shape').map(Number);
  const head = { name, datatype, shape };
  if (raw !== undefined) return { ...head, bytes: raw };
  const contents = (output['contents'] ?? {}) as Message;
  const elements = listOf(contents, CONTENTS[datatype] ?? '') as readonly Value[];
  return { ...head, bytes: pack(datatype, elements) };
}

function listOf(message: Message, field: string): readonly unknown[] {
  const found = message[field];
  return Array.isArray(found) ? found : [];
}
