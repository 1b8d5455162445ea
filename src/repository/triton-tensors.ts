import { type Reshape, reshapedTo } from '../core/reshape.ts';
import type { Dtype, Signature, TensorSpec } from '../core/tensor.ts';
import { formatShape, requiredInputs } from '../core/tensor.ts';
import { quoted } from './quoted.ts';
import type { TritonModelConfig, TritonTensor } from './triton-config.ts';
import { checkReshape } from './triton-reshape.ts';
import type { Batching } from './triton-section.ts';

/** What a configuration expects of an input or output. */
export type TensorExpectation = {
  readonly side: 'input' | 'output';
  readonly name: string;
  /** Undefined: not said. */
  readonly dtype: Dtype | undefined;
  /** As listed: without the batch dimension where there is one. Undefined: not said. */
  readonly dims: readonly number[] | undefined;
  /** What the model has in place of `dims`, in the same way. Undefined: the same. */
  readonly reshape: readonly number[] | undefined;
};

const DTYPE_OF_TYPE: Readonly<Record<string, Dtype>> = {
  TYPE_BOOL: 'BOOL',
  TYPE_UINT8: 'UINT8',
  TYPE_UINT16: 'UINT16',
  TYPE_UINT32: 'UINT32',
  TYPE_UINT64: 'UINT64',
  TYPE_INT8: 'INT8',
  TYPE_INT16: 'INT16',
  TYPE_INT32: 'INT32',
  TYPE_INT64: 'INT64',
  TYPE_FP16: 'FP16',
  TYPE_FP32: 'FP32',
  TYPE_FP64: 'FP64',
  TYPE_STRING: 'BYTES',
  TYPE_BF16: 'BF16',
};

/** The datatype of a configuration's name for it; undefined where nothing is said. Throws an Error for one that is none. */
export function dtypeOfType(type: string | number | undefined, where: string): Dtype | undefined {
  if (type === undefined || type === 'TYPE_INVALID') return undefined;
  const dtype = DTYPE_OF_TYPE[String(type)];
  if (dtype) return dtype;
  throw new Error(
    `${where}: expected one of ${Object.keys(DTYPE_OF_TYPE).join(', ')}, found ${type}`,
  );
}

/** Throws an Error for what makes no sense for any model. */
export function tensorExpectations(config: TritonModelConfig): readonly TensorExpectation[] {
  return [
    ...(config.input ?? []).map((tensor) => expectationOf(tensor, 'input')),
    ...(config.output ?? []).map((tensor) => expectationOf(tensor, 'output')),
  ];
}

function expectationOf(tensor: TritonTensor, side: TensorExpectation['side']): TensorExpectation {
  const { name, dims = [], data_type: type } = tensor;
  if (!name) throw new Error(`${side}: expected a name, found none`);
  const where = `${side} ${quoted(name)}`;
  const wrong = dims.find((size) => size < -1);
  if (wrong !== undefined) {
    throw new Error(`${where}: expected dimensions of -1 (free), 0 or more, found ${wrong}`);
  }
  checkFormat(tensor, where);
  const reshape = tensor.reshape && (tensor.reshape.shape ?? []);
  if (reshape) checkReshape(where, dims, reshape);
  return {
    side,
    name,
    dtype: dtypeOfType(type, `${where}: data_type`),
    dims: dims.length > 0 ? dims : undefined,
    reshape,
  };
}

function checkFormat({ format }: TritonTensor, where: string): void {
  if (format === undefined || FORMATS.some((known) => known === format)) return;
  throw new Error(`${where}: format: expected one of ${FORMATS.join(', ')}, found ${format}`);
}

const FORMATS = ['FORMAT_NONE', 'FORMAT_NHWC', 'FORMAT_NCHW'] as const;

/**
 * Compares the configuration's tensors with the model file's, and returns those that callers see in other shapes.
 *
 * @throws Error that names the tensor, what was expected and what was found.
 */
export function checkTensors(
  expectations: readonly TensorExpectation[],
  batching: Batching,
  signature: Signature,
): readonly Reshape[] {
  if (batching === 'rows') checkRows(signature);
  return expectations.flatMap((expectation) => {
    const { side, name } = expectation;
    const specs = side === 'input' ? signature.inputs : signature.outputs;
    const spec = specs.find((each) => each.name === name);
    if (!spec) {
      const names = specs.map((each) => `${quoted(each.name)}`).join(', ') || 'none';
      throw new Error(`${side} ${quoted(name)}: the model has no such ${side}. It has ${names}`);
    }
    return checkTensor(expectation, batching, spec);
  });
}

/** A `max_batch_size` is a promise that rows can be joined. */
function checkRows({ inputs, outputs }: Signature): void {
  const fixed = [...requiredInputs({ inputs }), ...outputs].find(({ shape }) => shape[0] !== -1);
  if (!fixed) return;
  throw new Error(
    `max_batch_size: expected a free first dimension of every input and output, found ${quoted(fixed.name)} ` +
      `${formatShape(fixed.shape)}. Set it to 0 for a model without a batch dimension`,
  );
}

function checkTensor(
  { side, name, dtype, dims, reshape }: TensorExpectation,
  batching: Batching,
  spec: TensorSpec,
): readonly Reshape[] {
  if (dtype !== undefined && dtype !== spec.dtype) {
    throw new Error(`${side} ${quoted(name)}: expected ${dtype} in the model, found ${spec.dtype}`);
  }
  if (dims === undefined) return [];
  const own = reshape ?? dims;
  const leads = spec.optional ? leadsFor('unsaid') : leadsFor(batching);
  const found = leads.find((lead) => agree([...lead, ...own], spec.shape));
  if (found === undefined) {
    const wanted = batching === 'rows' ? [-1, ...own] : own;
    const hint = batching === 'rows' ? '. Beside a max_batch_size, dims leave the batch out' : '';
    const what = reshape === undefined ? 'in the model' : 'in the model, as it is reshaped';
    throw new Error(
      `${side} ${quoted(name)}: expected ${formatShape(wanted)} ${what}, found ${formatShape(spec.shape)}${hint}`,
    );
  }
  if (reshape === undefined) return [];
  const [from, to] = [
    [...found, ...own],
    [...found, ...dims],
  ];
  // What is free in the configuration and fixed in the model is fixed for callers too.
  const model = from.map((size, axis) => (size === -1 ? (spec.shape[axis] ?? -1) : size));
  return [{ side, name, served: reshapedTo(model, from, to) ?? to, model }];
}

/** What may stand before the dimensions that are listed. */
function leadsFor(batching: Batching): readonly (readonly number[])[] {
  if (batching === 'off') return [[]];
  return batching === 'rows' ? [[-1]] : [[], [-1]];
}

/** Equal, or free on one side, in every dimension. */
function agree(shape: readonly number[], other: readonly number[]): boolean {
  return (
    shape.length === other.length &&
    shape.every((size, axis) => size === other[axis] || size === -1 || other[axis] === -1)
  );
}
