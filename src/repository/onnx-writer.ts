import { elementCount, type Tensor, type TensorSpec } from '../core/tensor.ts';
import { elementOf } from './onnx-dtype.ts';
import {
  decodeModel,
  encodeModel,
  type Int64,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxValueInfo,
} from './onnx-schema.ts';

/** The format's version that new models are written in, and the operators they may use. */
const IR_VERSION = 8;
const OPSET = 17;

/** The value of a node's attribute; a JavaScript number does not show its kind. */
export type AttributeValue =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  /** Beyond what a JavaScript number holds, digits. */
  | { readonly ints: readonly Int64[] }
  | { readonly floats: readonly number[] }
  | { readonly texts: readonly string[] };

export type NodeOptions = {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
};

/** An empty model of these inputs and outputs; nodes that lead from one to the other are to be added. */
export function newModel(options: {
  readonly name: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}): OnnxModel {
  return {
    ir_version: IR_VERSION,
    producer_name: 'understudy',
    graph: {
      name: options.name,
      node: [],
      initializer: [],
      input: options.inputs.map(valueInfoOf),
      output: options.outputs.map(valueInfoOf),
      value_info: [],
    },
    opset_import: [{ domain: '', version: OPSET }],
  };
}

/** Reads a model to change it. Throws an Error where the bytes are none. */
export function readModel(bytes: Uint8Array): OnnxModel {
  const model = decodeModel(bytes);
  if (!model.graph)
    throw new Error(`expected an ONNX model, found ${bytes.length} bytes without a graph`);
  return model;
}

export function writeModel(model: OnnxModel): Uint8Array {
  return encodeModel(model);
}

/** Adds a node at the end: its inputs must be there by then. Returns the name of its first output. */
export function addNode(graph: OnnxGraph, options: NodeOptions): string {
  const { op, inputs, outputs, name = `${op}:${outputs[0] ?? ''}`, attributes = {} } = options;
  graph.node.push({
    input: [...inputs],
    output: [...outputs],
    name,
    op_type: op,
    attribute: Object.entries(attributes).map(([key, value]) => attributeOf(key, value)),
  });
  return outputs[0] ?? '';
}

/** Adds weights, or a constant. Returns its name. */
export function addInitialiser(graph: OnnxGraph, { name, dtype, shape, data }: Tensor): string {
  graph.initializer.push({
    name,
    dims: [...shape],
    data_type: elementOf(dtype),
    raw_data: data,
  });
  return name;
}

/** A float32 tensor for `addInitialiser`. */
export function floats(
  name: string,
  shape: readonly number[],
  values: readonly number[] | Float32Array,
): Tensor {
  if (values.length !== elementCount(shape)) {
    throw new Error(`${name}: expected ${elementCount(shape)} values, found ${values.length}`);
  }
  const data = new Uint8Array(values.length * 4);
  const view = new DataView(data.buffer);
  values.forEach((value: number, index: number) => {
    view.setFloat32(index * 4, value, true);
  });
  return { name, dtype: 'FP32', shape, data };
}

/** An int64 scalar of one element, shape [1], for `addInitialiser`. */
export function wholeNumber(name: string, value: bigint): Tensor {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setBigInt64(0, value, true);
  return { name, dtype: 'INT64', shape: [1], data };
}

/**
 * Gives a value another name wherever this graph makes or reads it, but for the graph's declared outputs: so an output's name
 * becomes free for a node that changes the value once more.
 */
export function renameValue(graph: OnnxGraph, from: string, to: string): void {
  const renamed = (names: readonly string[]) => names.map((name) => (name === from ? to : name));
  for (const node of graph.node) {
    node.input = renamed(node.input);
    node.output = renamed(node.output);
  }
  for (const weights of graph.initializer) if (weights.name === from) weights.name = to;
}

/** All nodes and weights again, every value made by a node renamed by `rename`; weights are shared, not copied. */
export function copyNodes(
  graph: OnnxGraph,
  rename: (value: string) => string,
  inputs: Readonly<Record<string, string>>,
): readonly OnnxNode[] {
  const made = new Set(graph.node.flatMap((node) => node.output));
  const nameIn = (value: string) => {
    if (Object.hasOwn(inputs, value)) return inputs[value] ?? value;
    return made.has(value) ? rename(value) : value;
  };
  return graph.node.map((node) => {
    if (node.attribute.some(({ g, graphs }) => g || (graphs && graphs.length > 0))) {
      throw new Error(
        `node ${node.name}: expected no graph inside a node that is copied, found ${node.op_type}`,
      );
    }
    return {
      ...node,
      name: rename(node.name ?? node.op_type),
      // An empty name stands for an input or output that is left out.
      input: node.input.map((value) => value && nameIn(value)),
      output: node.output.map((value) => value && rename(value)),
    };
  });
}

/** The attribute's type numbers are the format's: FLOAT 1, INT 2, STRING 3, FLOATS 6, INTS 7, STRINGS 8. */
function attributeOf(name: string, value: AttributeValue): OnnxAttribute {
  if ('int' in value) return { name, type: 2, i: value.int };
  if ('float' in value) return { name, type: 1, f: value.float };
  if ('text' in value) return { name, type: 3, s: new TextEncoder().encode(value.text) };
  if ('ints' in value) return { name, type: 7, ints: [...value.ints] };
  if ('floats' in value) return { name, type: 6, floats: [...value.floats] };
  return { name, type: 8, strings: value.texts.map((text) => new TextEncoder().encode(text)) };
}

function valueInfoOf({ name, dtype, shape }: TensorSpec): OnnxValueInfo {
  const dim = shape.map((size, axis) =>
    size < 0 ? { dim_param: axis === 0 ? 'N' : `${name}_${axis}` } : { dim_value: size },
  );
  return { name, type: { tensor_type: { elem_type: elementOf(dtype), shape: { dim } } } };
}
