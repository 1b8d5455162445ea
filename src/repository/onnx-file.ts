import { messageOf } from '../core/errors.ts';
import { type ModelEdits, spliced } from '../core/model-edits.ts';
import type { RowsFinding } from '../core/rows.ts';
import type { Signature, TensorSpec } from '../core/tensor.ts';
import { rowsOfSignature } from './leading-dimensions.ts';
import { dtypeOf, elementName } from './onnx-dtype.ts';
import { editsOf, type FoundEdits } from './onnx-edits.ts';
import { type FileLabels, labelsInFile } from './onnx-labels.ts';
import {
  decodeOutline,
  type OnnxDimension,
  type OnnxOutline,
  type OnnxType,
  type OnnxValueInfo,
} from './onnx-schema.ts';
import { rowsOfGraph } from './row-mixing.ts';

/** What a model file says of itself. */
export type OnnxSummary = {
  readonly signature: Signature;
  /** Files that hold weights, relative to the model file. */
  readonly externalFiles: readonly string[];
  /** Whether requests may share a run, according to the file. */
  readonly rows: RowsFinding;
  /** How its bytes are to be changed for the runtime; undefined: they are not. */
  readonly edits: ModelEdits | undefined;
  /** Names of its classes; undefined: it has none. */
  readonly labels: FileLabels | undefined;
};

/**
 * Reads inputs and outputs of an ONNX file. Weights that older exporters list among the inputs are left out.
 *
 * @throws Error that names what was expected and what was found: no model, cut off, or a type that is not served.
 */
export function readOnnxSignature(bytes: Uint8Array): Signature {
  return readOnnxSummary(bytes).signature;
}

/** As `readOnnxSignature`, with the files that the model's weights lie in. */
export function readOnnxSummary(bytes: Uint8Array): OnnxSummary {
  if (bytes.length === 0) throw new Error('expected an ONNX model, found an empty file');
  const found = editsIn(bytes);
  const edited = found ? spliced(bytes, found.splices) : bytes;
  const { graph, opset_import: opsets } = outlineOf(edited);
  if (!graph)
    throw new Error(`expected an ONNX model, found ${bytes.length} bytes without a graph`);
  if (opsets.length === 0) {
    throw new Error(
      `expected an ONNX model with its operator sets, found ${bytes.length} bytes without them: the file may be cut off`,
    );
  }
  if (graph.output.length === 0) throw new Error('expected at least one output, found none');
  const optional = new Set(found?.defaults.map(({ name }) => name));
  const weights = new Set(graph.initializer.map(({ name }) => name));
  const inputs = graph.input.filter(({ name }) => !weights.has(name));
  return {
    signature: {
      inputs: inputs.map((input) => ({
        ...specOf(input, 'input'),
        ...(optional.has(input.name) && { optional: true as const }),
      })),
      outputs: graph.output.map((output) => specOf(output, 'output')),
    },
    externalFiles: externalFilesOf(graph.initializer),
    edits: found && { splices: found.splices, defaults: found.defaults },
    labels: labelsInFile(bytes),
    // Requests that give what they may leave out run alone, so for the rows it is as good as fixed.
    rows: rowsOf(
      found ? spliced(bytes, found.nodeSplices) : bytes,
      rowsOfSignature(
        inputs.filter(({ name }) => !optional.has(name)),
        graph.output,
      ),
    ),
  };
}

/** No edits where the weights are external: the runtime looks for them in the model's folder, where an edited copy is not. */
function editsIn(bytes: Uint8Array): FoundEdits | undefined {
  try {
    const found = editsOf(bytes);
    const isWhole =
      found && externalFilesOf(decodeOutline(bytes).graph?.initializer ?? []).length === 0;
    return isWhole ? found : undefined;
  } catch {
    // A broken file is reported where it is read whole.
    return undefined;
  }
}

/** The nodes are read only where the signature lets requests share a run at all. */
function rowsOf(bytes: Uint8Array, bySignature: RowsFinding): RowsFinding {
  return bySignature.kind === 'apart' ? rowsOfGraph(bytes) : bySignature;
}

function outlineOf(bytes: Uint8Array): OnnxOutline {
  try {
    return decodeOutline(bytes);
  } catch (cause) {
    const message = `expected an ONNX model, found ${bytes.length} bytes that are none or are cut off`;
    throw new Error(`${message} (${messageOf(cause)})`, { cause });
  }
}

function specOf({ name, type }: OnnxValueInfo, side: 'input' | 'output'): TensorSpec {
  const where = `${side} "${name}"`;
  const tensor = type?.tensor_type;
  if (!tensor)
    throw new Error(
      `${where}: expected a tensor, found ${kindOf(type)}${side === 'output' ? zipMapHint(type) : optionalHint(type)}`,
    );
  const dtype = dtypeOf(tensor.elem_type);
  if (!dtype) {
    throw new Error(
      `${where}: expected elements that can be served, found ${elementName(tensor.elem_type)}`,
    );
  }
  if (!tensor.shape) {
    throw new Error(
      `${where}: expected a shape, found none declared. Shape inference, or a declared number of dimensions, fixes it`,
    );
  }
  return { name, dtype, shape: (tensor.shape.dim ?? []).map(dimensionOf) };
}

/** A named, absent or negative dimension is free. */
function dimensionOf(dimension: OnnxDimension): number {
  if (!Object.hasOwn(dimension, 'dim_value')) return -1;
  const size = Number(String(dimension.dim_value));
  return size >= 0 ? size : -1;
}

/** What scikit-learn's converter makes of probabilities, by default. */
function zipMapHint(type: OnnxType | undefined): string {
  const isZipMap =
    type !== undefined && (Object.hasOwn(type, 'sequence_type') || Object.hasOwn(type, 'map_type'));
  return isZipMap
    ? ". If this is a scikit-learn classifier, convert it with options={'zipmap': False}"
    : '';
}

/** The runtime's binding has no way to leave such an input out. */
function optionalHint(type: OnnxType | undefined): string {
  return type !== undefined && Object.hasOwn(type, 'optional_type')
    ? ". ONNX Runtime's binding cannot run without it: export a plain tensor that has an initializer, which a request may leave out, or one model with it and one without"
    : '';
}

function kindOf(type: OnnxType | undefined): string {
  const has = (kind: keyof OnnxType) => type !== undefined && Object.hasOwn(type, kind);
  if (has('sequence_type')) return 'a sequence';
  if (has('map_type')) return 'a map';
  if (has('sparse_tensor_type')) return 'a sparse tensor';
  if (has('optional_type')) return 'an optional value';
  return has('opaque_type') ? 'an opaque value' : 'no type';
}

function externalFilesOf(
  weights: NonNullable<OnnxOutline['graph']>['initializer'],
): readonly string[] {
  const files = weights.flatMap(({ external_data: entries }) =>
    entries.filter(({ key }) => key === 'location').map(({ value = '' }) => value),
  );
  return [...new Set(files)];
}
