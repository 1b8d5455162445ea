/** Writes small models from plans: one line a node, one letter a value. */
import type { Dtype, TensorSpec } from '../../../src/core/tensor.ts';
import type { OnnxAttribute, OnnxGraph, OnnxModel } from '../../../src/repository/onnx-schema.ts';
import {
  type AttributeValue,
  addInitialiser,
  addNode,
  newModel,
  writeModel,
} from '../../../src/repository/onnx-writer.ts';
import { functionBytes } from './function-bytes.ts';
import { WEIGHTS } from './weights.ts';

/** A small model whose rows are known to be apart, or known to meet. */
export type RowModel = {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What its inputs are; a leading dimension of -1 is the rows. */
  readonly inputs: readonly TensorSpec[];
  /** What is known from its file alone. */
  readonly expected: 'apart' | 'mixed';
  /** False where the runtime refuses it, or ends the process that loads it. */
  readonly loads: boolean;
  /** Whole numbers that it takes are from 0 up to this. */
  readonly below: number;
};

/** A graph inside a node; what it does not make or take itself comes from around it. */
export type Inner = {
  readonly inputs?: readonly TensorSpec[];
  readonly steps: readonly Step[];
  readonly outputs: readonly TensorSpec[];
};

type Attribute = AttributeValue | { readonly graph: Inner };

/** Names of inputs and outputs stand apart by blanks; `-` is one that is left out. */
export type Step = readonly [
  op: string,
  inputs: string,
  outputs: string,
  attributes?: Readonly<Record<string, Attribute>>,
  domain?: string,
];

/** Nodes that calls of its name, in the domain `local`, stand for. */
export type Local = {
  readonly name: string;
  readonly inputs: string;
  readonly outputs: string;
  readonly steps: readonly Step[];
};

export type Plan = {
  readonly steps: readonly Step[];
  /** The shape of input `x`, [-1,4] where nothing is said; that of output `y`, the same. */
  readonly input?: readonly number[];
  readonly output?: readonly number[];
  /** FP32 where nothing is said. */
  readonly takes?: Dtype;
  readonly gives?: Dtype;
  /** Inputs other than `x`. */
  readonly more?: readonly TensorSpec[];
  readonly below?: number;
  /** The output's own symbol in front. */
  readonly symbol?: string;
  readonly opset?: number;
  readonly locals?: readonly Local[];
  readonly loads?: boolean;
};

const OPSET = 17;
/** Known to the runtime; a model imports them whether it uses them or not. */
const DOMAINS = ['com.microsoft', 'ai.onnx.ml', 'local'];

export const axis = (int: number) => ({ axis: { int } });
export const perm = (...list: readonly number[]) => ({ perm: { ints: list } });
export const axes = (...list: readonly number[]) => ({
  axes: { ints: list },
  keepdims: { int: 1 },
});

/** A model of one node. */
export const one = (...step: Step): Plan => ({ steps: [step] });

export const some = (
  name: string,
  shape: readonly number[],
  dtype: Dtype = 'FP32',
): TensorSpec => ({
  name,
  dtype,
  shape,
});

export function aRowModel(name: string, expected: RowModel['expected'], plan: Plan): RowModel {
  const { input = [-1, 4], output = input, takes = 'FP32', gives = takes, more = [] } = plan;
  const inputs = [some('x', input, takes), ...more];
  const model = newModel({ name, inputs, outputs: [some('y', output, gives)] });
  addWeights(model, plan);
  addSteps(model.graph, plan.steps, new Map());
  const leading = model.graph.output[0]?.type?.tensor_type?.shape?.dim?.[0];
  if (leading && plan.symbol !== undefined) leading.dim_param = plan.symbol;
  const version = plan.opset ?? OPSET;
  model.opset_import = [
    { domain: '', version },
    ...DOMAINS.map((domain) => ({ domain, version: 1 })),
  ];
  const functions = (plan.locals ?? []).map((local) => functionOf(local, version));
  const bytes = writeModel({ ...model, ...{ functions } });
  return {
    ...{ name, bytes, inputs, expected },
    loads: plan.loads ?? true,
    below: plan.below ?? 2,
  };
}

/** Each model gets the weights that it names. */
function addWeights({ graph }: OnnxModel, { steps }: Plan): void {
  const used = namesIn(steps);
  for (const weight of WEIGHTS) if (used.has(weight.name)) addInitialiser(graph, weight);
}

function namesIn(steps: readonly Step[]): ReadonlySet<string> {
  const names = steps.flatMap(([, from, , attributes = {}]) => [
    ...from.split(' '),
    ...Object.values(attributes).flatMap((each) =>
      'graph' in each
        ? [...namesIn(each.graph.steps), ...each.graph.outputs.map(({ name }) => name)]
        : [],
    ),
  ]);
  return new Set(names);
}

/** The first node of an operator is called by it; those that follow, in graphs inside too, are numbered. */
function addSteps(graph: OnnxGraph, steps: readonly Step[], seen: Map<string, number>): void {
  for (const [op, from, to, attributes = {}, domain] of steps) {
    const before = seen.get(op) ?? 0;
    seen.set(op, before + 1);
    const name = before === 0 ? op.toLowerCase() : `${op.toLowerCase()} ${before + 1}`;
    const plain: Record<string, AttributeValue> = {};
    const graphs: OnnxAttribute[] = [];
    for (const [key, value] of Object.entries(attributes)) {
      if ('graph' in value) graphs.push({ name: key, type: 5, g: innerGraph(value.graph, seen) });
      else plain[key] = value;
    }
    addNode(graph, { op, inputs: listed(from), outputs: listed(to), name, attributes: plain });
    const node = graph.node.at(-1);
    node?.attribute.push(...graphs);
    if (domain !== undefined && node) node.domain = domain;
  }
}

function innerGraph({ inputs = [], steps, outputs }: Inner, seen: Map<string, number>): OnnxGraph {
  const { graph } = newModel({ name: 'inner', inputs, outputs });
  addSteps(graph, steps, seen);
  return graph;
}

function functionOf({ name, inputs, outputs, steps }: Local, version: number): Uint8Array {
  const { graph } = newModel({ name, inputs: [], outputs: [] });
  addSteps(graph, steps, new Map());
  return functionBytes({
    ...{ name, domain: 'local', input: inputs.split(' '), output: outputs.split(' ') },
    node: graph.node,
    opset_import: [
      { domain: '', version },
      { domain: 'local', version: 1 },
    ],
  });
}

function listed(names: string): readonly string[] {
  return names === '' ? [] : names.split(' ').map((name) => (name === '-' ? '' : name));
}
