import { createHash, type Hash } from 'node:crypto';
import { sha256Hex } from '../core/hash.ts';
import { type WireField, wireFields } from './proto-wire.ts';

/** A message of the ONNX format: the fields that do not change what it computes, and those that are messages again. */
type Message = {
  readonly skipped: ReadonlySet<number>;
  readonly inner: ReadonlyMap<number, () => Message>;
};

/** Subgraphs inside one another; deeper ones are taken as they lie. */
const DEPTH_MAX = 64;

/** Without the name of the file, whose bytes count instead. */
const TENSOR: Message = {
  // doc_string, external_data, metadata_props
  skipped: new Set([12, 13, 16]),
  inner: new Map(),
};

const ATTRIBUTE: Message = {
  // doc_string
  skipped: new Set([13]),
  inner: new Map([
    [5, () => TENSOR],
    [6, () => GRAPH],
    [10, () => TENSOR],
    [11, () => GRAPH],
  ]),
};

const NODE: Message = {
  // name, doc_string, metadata_props, device_configurations
  skipped: new Set([3, 6, 9, 10]),
  inner: new Map([[5, () => ATTRIBUTE]]),
};

const VALUE: Message = {
  // doc_string, metadata_props
  skipped: new Set([3, 4]),
  inner: new Map(),
};

const GRAPH: Message = {
  // name, doc_string, value_info, quantization_annotation, metadata_props
  skipped: new Set([2, 10, 13, 14, 16]),
  inner: new Map([
    [1, () => NODE],
    [5, () => TENSOR],
    [11, () => VALUE],
    [12, () => VALUE],
  ]),
};

const FUNCTION: Message = {
  // doc_string, value_info, metadata_props
  skipped: new Set([8, 12, 14]),
  inner: new Map([
    [7, () => NODE],
    [11, () => ATTRIBUTE],
  ]),
};

const MODEL: Message = {
  // ir_version, producer_name, producer_version, domain, model_version, doc_string, metadata_props, training_info, configuration
  skipped: new Set([1, 2, 3, 4, 5, 6, 14, 20, 26]),
  inner: new Map([
    [7, () => GRAPH],
    [25, () => FUNCTION],
  ]),
};

/**
 * SHA-256 over what a model file computes: its nodes, weights, inputs, outputs and opsets, without names of nodes, documentation,
 * producer and metadata. The same weights exported again under another name or version give the same digest; one changed
 * weight gives another. Weights in files beside the model are not part of it.
 */
export function graphDigest(bytes: Uint8Array): string {
  const hash = createHash('sha256');
  try {
    add(hash, { bytes, from: 0, end: bytes.length }, { message: MODEL, depthLeft: DEPTH_MAX });
    return hash.digest('hex');
  } catch {
    // No fields to tell from each other: the file as it lies.
    return sha256Hex(bytes);
  }
}

/**
 * The graph's digest and those of the files that hold its weights as one.
 *
 * @param external in the order in which the model names them; empty: it has none.
 */
export function weightsDigest(graph: string, external: readonly string[]): string {
  return external.length === 0 ? graph : sha256Hex([graph, ...external].join('\n'));
}

type Part = { readonly bytes: Uint8Array; readonly from: number; readonly end: number };
type Place = { readonly message: Message; readonly depthLeft: number };

/** Each field with its number and length in front, and each message with the number of its parts behind, so that no two read alike. */
function add(hash: Hash, { bytes, from, end }: Part, { message, depthLeft }: Place): void {
  let count = 0;
  for (const field of wireFields(bytes, from, end)) {
    if (message.skipped.has(field.number)) continue;
    count += 1;
    const inner = depthLeft > 0 ? message.inner.get(field.number)?.() : undefined;
    if (inner === undefined) addLeaf(hash, field);
    else {
      hash.update(`${field.number}{`);
      add(hash, { bytes, ...spanOf(field) }, { message: inner, depthLeft: depthLeft - 1 });
    }
  }
  hash.update(`}${count};`);
}

function addLeaf(hash: Hash, field: WireField): void {
  hash.update(`${field.number}:${field.end - field.from}:`).update(field.bytes);
}

function spanOf({ from, end }: WireField): { readonly from: number; readonly end: number } {
  return { from, end };
}
