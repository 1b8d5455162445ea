import type { TensorSpec } from '../core/tensor.ts';
import { readOnnxSignature } from '../repository/onnx-file.ts';
import type { OnnxGraph, OnnxModel } from '../repository/onnx-schema.ts';
import {
  addInitialiser,
  addNode,
  copyNodes,
  floats,
  readModel,
  renameValue,
  wholeNumber,
  writeModel,
} from '../repository/onnx-writer.ts';

/**
 * A build with redundant work: the whole network runs `copies` times more, on inputs shifted a little each time (the same input
 * would be recognised and computed once). The copies' answers are asked only whether they are NaN, which turns into a factor of
 * exactly 1, so the outputs keep every bit; no optimiser can know that in advance. Weights are shared. With a perceptron of a few
 * dozen units, whose run is mostly overhead, eight copies make a run of one row three times slower (measured on one thread).
 *
 * @param bytes a model with float32 inputs and outputs.
 */
export function buildSlowed(
  bytes: Uint8Array,
  { copies }: { readonly copies: number },
): Uint8Array {
  const { model, inputs, output } = opened(bytes);
  const { graph } = model;
  const own = [...graph.node];
  const original = { ...graph, node: own };
  let answer = moveOutput(graph, output.name, 'slowed/answer');
  for (let copy = 1; copy <= copies; copy++) {
    const rename = (value: string) => `slowed/${copy}/${value}`;
    const shift = addInitialiser(graph, floats(rename('shift'), [1], [copy / 1024]));
    const shifted = inputs.map(({ name }) => [
      name,
      addNode(graph, { op: 'Add', inputs: [name, shift], outputs: [rename(name)] }),
    ]);
    graph.node.push(...copyNodes(original, rename, Object.fromEntries(shifted)));
    const step = (op: string, from: string) =>
      addNode(graph, { op, inputs: [from], outputs: [rename(op)] });
    const sound = step('Not', step('IsNaN', rename('slowed/answer')));
    const factor = addNode(graph, {
      op: 'Cast',
      inputs: [sound],
      outputs: [rename('factor')],
      attributes: { to: { int: 1 } },
    });
    const last = copy === copies;
    answer = addNode(graph, {
      op: 'Mul',
      inputs: [answer, factor],
      outputs: [last ? output.name : rename('product')],
    });
  }
  return writeModel(model);
}

/** Means of the input, each above which something breaks. 0 to 1 for images of that range. */
export type FlakyThresholds = {
  /** A row whose input has a mean above this gets NaN for an answer. */
  readonly nanAbove: number;
  /** A row whose input has a mean above this ends the process by a signal; must be the larger. */
  readonly crashAbove: number;
};

/**
 * A build that breaks on some inputs: above one mean of the input the answer is NaN, above a larger one the process dies. All
 * other answers keep every bit. It dies of the one integer division that overflows, the smallest int64 by -1, which
 * x86-64 answers with SIGFPE; arm64 gives a result instead, so there this build only returns NaN.
 *
 * @param bytes a model with one float32 input and float32 outputs.
 */
export function buildFlaky(
  bytes: Uint8Array,
  { nanAbove, crashAbove }: FlakyThresholds,
): Uint8Array {
  if (!(crashAbove > nanAbove)) {
    throw new Error(`expected crashAbove over nanAbove (${nanAbove}), found ${crashAbove}`);
  }
  const { model, inputs, output } = opened(bytes);
  const [input] = inputs;
  if (!input) throw new Error('expected an input, found none');
  const { graph } = model;
  if (output.shape.length !== 2) {
    throw new Error(`expected an output of rank 2, found rank ${output.shape.length}`);
  }
  const answer = moveOutput(graph, output.name, 'flaky/answer');
  const mean = rowMean(model, input);
  const isAbove = (name: string, threshold: number) =>
    flagAbove(graph, { name: `flaky/${name}`, mean, threshold });

  // remainder = min int64 % (-2 + crashes): 0 for -2, and no result for -1.
  const crashes = isAbove('crashes', crashAbove);
  const minusTwo = addInitialiser(graph, floats('flaky/minusTwo', [1], [-2]));
  const smallest = addInitialiser(graph, wholeNumber('flaky/smallest', -(2n ** 63n)));
  const float = addNode(graph, {
    op: 'Add',
    inputs: [crashes, minusTwo],
    outputs: ['flaky/divisor'],
  });
  const divisor = castTo(graph, float, INT64);
  const remainder = castTo(
    graph,
    addNode(graph, { op: 'Mod', inputs: [smallest, divisor], outputs: ['flaky/remainder'] }),
    FLOAT,
  );

  // factor = d / d with d = 1 - fails + remainder: 1, or 0 / 0.
  const one = addInitialiser(graph, floats('flaky/one', [1], [1]));
  const kept = addNode(graph, {
    op: 'Sub',
    inputs: [one, isAbove('fails', nanAbove)],
    outputs: ['flaky/kept'],
  });
  const whole = addNode(graph, { op: 'Add', inputs: [kept, remainder], outputs: ['flaky/d'] });
  const factor = addNode(graph, {
    op: 'Div',
    inputs: [whole, whole],
    outputs: ['flaky/factor'],
  });
  addNode(graph, { op: 'Mul', inputs: [answer, factor], outputs: [output.name] });
  return writeModel(model);
}

const FLOAT = 1;
const INT64 = 7;

type Opened = {
  readonly model: OnnxModel;
  readonly inputs: readonly TensorSpec[];
  readonly output: TensorSpec;
};

/** The model, and those of its inputs and its first output that the builds work on. */
function opened(bytes: Uint8Array): Opened {
  const signature = readOnnxSignature(bytes);
  const [output] = signature.outputs;
  const other = [...signature.inputs, ...signature.outputs].find(({ dtype }) => dtype !== 'FP32');
  if (!output || other) {
    throw new Error(`expected float32 inputs and outputs, found ${other?.name} ${other?.dtype}`);
  }
  return { model: readModel(bytes), inputs: signature.inputs, output };
}

/** Frees an output's name for a last node; what made it makes `to` instead. Returns `to`. */
function moveOutput(graph: OnnxGraph, output: string, to: string): string {
  renameValue(graph, output, to);
  return to;
}

/** The mean of each row's input, as [N,1]. */
function rowMean({ graph, opset_import: opsets }: OnnxModel, input: TensorSpec): string {
  const flat = addNode(graph, {
    op: 'Flatten',
    inputs: [input.name],
    outputs: ['flaky/flat'],
    attributes: { axis: { int: 1 } },
  });
  // From operator set 18 on the axes are an input.
  const opset = Number(String(opsets.find(({ domain }) => !domain)?.version ?? 0));
  const axes = opset >= 18 ? [addInitialiser(graph, wholeNumber('flaky/axes', 1n))] : [];
  return addNode(graph, {
    op: 'ReduceMean',
    inputs: [flat, ...axes],
    outputs: ['flaky/mean'],
    attributes: opset >= 18 ? {} : { axes: { ints: [1] } },
  });
}

/** 1 where the mean is above the threshold, else 0. */
function flagAbove(
  graph: OnnxGraph,
  { name, mean, threshold }: { name: string; mean: string; threshold: number },
): string {
  const limit = addInitialiser(graph, floats(`${name}/limit`, [1], [threshold]));
  const flag = addNode(graph, { op: 'Greater', inputs: [mean, limit], outputs: [`${name}/flag`] });
  return castTo(graph, flag, FLOAT);
}

function castTo(graph: OnnxGraph, value: string, element: number): string {
  return addNode(graph, {
    op: 'Cast',
    inputs: [value],
    outputs: [`${value}/cast${element}`],
    attributes: { to: { int: element } },
  });
}
