import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { programFolder } from '../config/program.ts';

/** A 64-bit whole number: a number while it is safe, digits beyond; what is read comes as an object that prints its digits. */
export type Int64 = number | string | { readonly toString: () => string };

export type OnnxDimension = { dim_value?: Int64; dim_param?: string };
export type OnnxType = {
  tensor_type?: { elem_type?: number; shape?: { dim?: OnnxDimension[] } };
  sequence_type?: Uint8Array;
  map_type?: Uint8Array;
  opaque_type?: Uint8Array;
  sparse_tensor_type?: Uint8Array;
  optional_type?: Uint8Array;
};
export type OnnxValueInfo = { name: string; type?: OnnxType };

/** Weights, or a constant. Bytes are little-endian. */
export type OnnxTensor = {
  name?: string;
  dims: Int64[];
  data_type: number;
  raw_data?: Uint8Array;
};

export type OnnxAttribute = {
  name: string;
  type: number;
  f?: number;
  i?: Int64;
  s?: Uint8Array;
  t?: OnnxTensor;
  g?: OnnxGraph;
  floats?: number[];
  ints?: Int64[];
  strings?: Uint8Array[];
  graphs?: OnnxGraph[];
};

export type OnnxNode = {
  input: string[];
  output: string[];
  name?: string;
  op_type: string;
  domain?: string;
  attribute: OnnxAttribute[];
};

export type OnnxGraph = {
  name?: string;
  node: OnnxNode[];
  initializer: OnnxTensor[];
  input: OnnxValueInfo[];
  output: OnnxValueInfo[];
  value_info: OnnxValueInfo[];
};

/** A model in memory, to be changed at will. Fields that are not named here are kept as they were read. */
export type OnnxModel = {
  ir_version: Int64;
  producer_name?: string;
  graph: OnnxGraph;
  opset_import: { domain?: string; version: Int64 }[];
};

/** What a signature is read from. */
export type OnnxOutline = {
  readonly graph?: {
    readonly initializer: readonly {
      readonly name?: string;
      readonly external_data: readonly { readonly key?: string; readonly value?: string }[];
    }[];
    readonly input: readonly OnnxValueInfo[];
    readonly output: readonly OnnxValueInfo[];
  };
  readonly opset_import: readonly unknown[];
};

/** The nodes of a graph, with weights as views of the file. */
export type OnnxSteps = {
  readonly node: readonly OnnxStep[];
  readonly initializer: readonly OnnxTensorSummary[];
  readonly input: readonly OnnxValueInfo[];
  readonly output: readonly OnnxValueInfo[];
  readonly value_info: readonly OnnxValueInfo[];
};

export type OnnxStep = {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name?: string;
  readonly op_type?: string;
  readonly domain?: string;
  readonly overload?: string;
  readonly attribute: readonly OnnxSetting[];
};

export type OnnxSetting = {
  readonly name?: string;
  readonly i?: Int64;
  readonly s?: Uint8Array;
  readonly t?: OnnxTensorSummary;
  readonly g?: OnnxSteps;
  readonly ints: readonly Int64[];
  readonly graphs: readonly OnnxSteps[];
  readonly ref_attr_name?: string;
};

/** A tensor's head; its content as it lies in the file. */
export type OnnxTensorSummary = {
  readonly dims: readonly Int64[];
  readonly data_type?: number;
  readonly int32_data?: Uint8Array;
  readonly int64_data?: Uint8Array;
  readonly name?: string;
  readonly raw_data?: Uint8Array;
};

export type OnnxOpset = { readonly domain?: string; readonly version?: Int64 };

/** A function defined in the model: a node with its name and domain stands for its nodes. */
export type OnnxFunction = {
  readonly name?: string;
  readonly domain?: string;
  readonly overload?: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly node: readonly OnnxStep[];
  readonly attribute_proto: readonly OnnxSetting[];
  readonly opset_import: readonly OnnxOpset[];
};

export type OnnxProgram = {
  readonly graph?: OnnxSteps;
  readonly opset_import: readonly OnnxOpset[];
  readonly functions: readonly OnnxFunction[];
};

/** Decodes nodes, subgraphs and functions; weights are not copied. Throws as `decodeModel`. */
export function decodeProgram(bytes: Uint8Array): OnnxProgram {
  return messageType('ModelNodes').decode(bytes) as unknown as OnnxProgram;
}

/** A tensor with its content in whichever list it was written. */
export type OnnxWholeTensor = {
  readonly dims: readonly Int64[];
  readonly data_type?: number;
  readonly raw_data?: Uint8Array;
  readonly float_data: readonly number[];
  readonly double_data: readonly number[];
  readonly int32_data: readonly number[];
  readonly int64_data: readonly Int64[];
  readonly uint64_data: readonly Int64[];
  readonly string_data: readonly Uint8Array[];
  readonly external_data: readonly unknown[];
  readonly data_location?: number;
};

/** Throws as `decodeModel`. */
export function decodeTensor(bytes: Uint8Array): OnnxWholeTensor {
  return messageType('TensorProto').decode(bytes) as unknown as OnnxWholeTensor;
}

/** Throws as `decodeModel`. */
export function decodeValueInfo(bytes: Uint8Array): OnnxValueInfo {
  return messageType('ValueInfoProto').decode(bytes) as unknown as OnnxValueInfo;
}

/** Decodes all of a model. Throws where the bytes are none, or end too early. */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  return messageType('ModelProto').decode(bytes) as unknown as OnnxModel;
}

/** Decodes names, types and shapes only; nodes and weights are skipped. Throws as `decodeModel`. */
export function decodeOutline(bytes: Uint8Array): OnnxOutline {
  return messageType('ModelOutline').decode(bytes) as unknown as OnnxOutline;
}

export function encodeModel(model: OnnxModel): Uint8Array {
  return messageType('ModelProto').encode(model).finish();
}

let root: protobuf.Root | undefined;

function messageType(name: string): protobuf.Type {
  root ??= protobuf.parse(readFileSync(join(programFolder, 'protos', 'onnx.proto'), 'utf8'), {
    keepCase: true,
  }).root;
  return root.lookupType(`onnx.${name}`);
}
