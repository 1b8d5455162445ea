import type { RowsFinding } from '../core/rows.ts';
import type { OnnxDimension, OnnxValueInfo } from './onnx-schema.ts';

type Side = { readonly what: string; readonly dimensions: readonly OnnxDimension[] };

/**
 * What the signature says of rows. They can be split only where every input and output has a free leading dimension, and
 * these carry the same symbol, or none of them has one: an output of `[num_boxes, 4]` is not split by the rows of `[N, 3]`.
 * The symbol may stand for nothing else: joining requests along it would change another dimension too.
 */
export function rowsOfSignature(
  inputs: readonly OnnxValueInfo[],
  outputs: readonly OnnxValueInfo[],
): RowsFinding {
  const sides = [...inputs.map(sideOf('input')), ...outputs.map(sideOf('output'))];
  const [first] = sides;
  if (!first || inputs.length === 0) return mixed('the model has no input');
  for (const side of sides) {
    const because = whyNotFree(side) ?? whyOther(first, side) ?? whyTwice(side);
    if (because !== undefined) return mixed(because);
  }
  return { kind: 'apart' };
}

function mixed(because: string): RowsFinding {
  return { kind: 'mixed', because };
}

function sideOf(kind: 'input' | 'output'): (info: OnnxValueInfo) => Side {
  return ({ name, type }) => ({
    what: `${kind} '${name}'`,
    dimensions: type?.tensor_type?.shape?.dim ?? [],
  });
}

function whyNotFree({ what, dimensions: [leading] }: Side): string | undefined {
  if (!leading) return `${what} has no dimensions`;
  const size = sizeOf(leading);
  return size === undefined ? undefined : `${what} has a fixed leading dimension of ${size}`;
}

function whyOther(first: Side, side: Side): string | undefined {
  const expected = symbolOf(first.dimensions[0]);
  const found = symbolOf(side.dimensions[0]);
  if (expected === found) return undefined;
  const here =
    found === undefined ? 'a leading dimension without a name' : `leading dimension '${found}'`;
  const there = expected === undefined ? 'one without a name' : `'${expected}'`;
  return `${side.what} has ${here}, ${first.what} has ${there}`;
}

function whyTwice({ what, dimensions: [leading, ...rest] }: Side): string | undefined {
  const symbol = symbolOf(leading);
  const at = symbol === undefined ? -1 : rest.findIndex((each) => symbolOf(each) === symbol);
  return at < 0
    ? undefined
    : `${what} has '${symbol}' both as its leading dimension and as dimension ${at + 1}`;
}

/** The size of a fixed dimension; undefined where it is free. */
function sizeOf(dimension: OnnxDimension): number | undefined {
  if (!Object.hasOwn(dimension, 'dim_value')) return undefined;
  const size = Number(String(dimension.dim_value));
  return size >= 0 ? size : undefined;
}

/** The name of a free dimension. An empty one is none. */
function symbolOf(dimension: OnnxDimension | undefined): string | undefined {
  if (!dimension || !Object.hasOwn(dimension, 'dim_param')) return undefined;
  return dimension.dim_param || undefined;
}
