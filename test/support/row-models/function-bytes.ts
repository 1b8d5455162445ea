import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import type { OnnxModel, OnnxNode } from '../../../src/repository/onnx-schema.ts';
import { projectRoot } from '../project-root.ts';

/** What the format calls a FunctionProto. */
export type OnnxFunctionText = {
  readonly name: string;
  readonly domain: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly node: readonly OnnxNode[];
  readonly opset_import: OnnxModel['opset_import'];
};

const MESSAGE = `message FunctionProto {
  optional string name = 1;
  repeated string input = 4;
  repeated string output = 5;
  repeated NodeProto node = 7;
  repeated OperatorSetIdProto opset_import = 9;
  optional string domain = 10;
}`;

let type: protobuf.Type | undefined;

/** A function as a model file holds it. */
export function functionBytes(text: OnnxFunctionText): Uint8Array {
  type ??= protobuf
    .parse(readFileSync(join(projectRoot, 'protos', 'onnx.proto'), 'utf8') + MESSAGE, {
      keepCase: true,
    })
    .root.lookupType('onnx.FunctionProto');
  return type.encode(text).finish();
}
