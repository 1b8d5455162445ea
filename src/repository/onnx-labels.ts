import { messageOf } from '../core/errors.ts';
import type { Signature, TensorSpec } from '../core/tensor.ts';
import { checkLabels, LABELS_MAX, parseLabels } from './label-list.ts';
import { textOf, varintAt, type WireField, wireFields } from './proto-wire.ts';

/** The names of the classes that a model's file has, or why what it has is none. */
export type FileLabels =
  | { readonly kind: 'labels'; readonly labels: readonly string[] }
  | { readonly kind: 'unusable'; readonly because: string };

/** The fields of the format that are looked at. */
const MODEL = { graph: 7, metadata: 14 } as const;
const GRAPH = { node: 1 } as const;
const NODE = { operator: 4, attribute: 5, domain: 7 } as const;
const ATTRIBUTE = { name: 1, ints: 8, strings: 9 } as const;
const ENTRY = { key: 1, value: 2 } as const;

/** Metadata that exporters keep class names in, the first that is there. */
const KEYS = ['names', 'labels', 'classes', 'class_names', 'id2label'] as const;
const TEXT_BYTES_MAX = 4 * 1024 * 1024;

const CLASSIFIERS: ReadonlySet<string> = new Set([
  ...['LinearClassifier', 'SVMClassifier', 'TreeEnsembleClassifier', 'ZipMap'],
]);
const CLASS_LABELS: ReadonlySet<string> = new Set([
  ...['classlabels_strings', 'classlabels_ints', 'classlabels_int64s'],
]);

/**
 * The names of a model's classes, from its metadata or else from a classifier of `ai.onnx.ml` among its nodes. Undefined: the
 * file has none. Never throws.
 */
export function labelsInFile(bytes: Uint8Array): FileLabels | undefined {
  try {
    return metadataLabels(bytes) ?? classifierLabels(bytes);
  } catch (cause) {
    return { kind: 'unusable', because: messageOf(cause) };
  }
}

/**
 * The outputs that such labels are of: all of numbers with so many in the last dimension, as logits and probabilities are, else
 * the only one of two dimensions whose last is free.
 */
export function outputsOfLabels(
  labels: readonly string[],
  { outputs }: Signature,
): readonly TensorSpec[] {
  const numbers = outputs.filter(({ dtype }) => /^(U?INT|FP)(8|16|32|64)$/.test(dtype));
  const exact = numbers.filter(({ shape }) => shape.at(-1) === labels.length);
  const free = numbers.filter(({ shape }) => shape.length === 2 && shape[1] === -1);
  if (exact.length > 0) return exact;
  return free.length === 1 ? free : [];
}

function metadataLabels(bytes: Uint8Array): FileLabels | undefined {
  const found = new Map<string, Uint8Array>();
  for (const { number, bytes: entry } of wireFields(bytes)) {
    if (number !== MODEL.metadata) continue;
    const parts = new Map([...wireFields(entry)].map((part) => [part.number, part.bytes]));
    const key = KEYS.find((each) => each === asciiOf(parts.get(ENTRY.key)));
    if (key !== undefined) found.set(key, parts.get(ENTRY.value) ?? new Uint8Array());
  }
  const key = KEYS.find((each) => found.has(each));
  return key && parsed(key, found.get(key) ?? new Uint8Array());
}

function parsed(key: string, text: Uint8Array): FileLabels {
  try {
    if (text.length > TEXT_BYTES_MAX) {
      throw new Error(`expected at most ${TEXT_BYTES_MAX} bytes, found ${text.length}`);
    }
    return { kind: 'labels', labels: parseLabels(textOf(text)) };
  } catch (cause) {
    return { kind: 'unusable', because: `metadata '${key}': ${messageOf(cause)}` };
  }
}

function classifierLabels(bytes: Uint8Array): FileLabels | undefined {
  for (const graph of wireFields(bytes)) {
    if (graph.number !== MODEL.graph) continue;
    for (const node of wireFields(bytes, graph.from, graph.end)) {
      const labels = node.number === GRAPH.node ? labelsOfNode(bytes, node) : undefined;
      if (labels !== undefined) return labels;
    }
  }
  return undefined;
}

function labelsOfNode(bytes: Uint8Array, { from, end }: WireField): FileLabels | undefined {
  const attributes: WireField[] = [];
  let isClassifier = false;
  let isMl = false;
  for (const field of wireFields(bytes, from, end)) {
    if (field.number === NODE.attribute) attributes.push(field);
    else if (field.number === NODE.operator) isClassifier = CLASSIFIERS.has(asciiOf(field.bytes));
    else if (field.number === NODE.domain) isMl = asciiOf(field.bytes) === 'ai.onnx.ml';
  }
  if (!isClassifier || !isMl) return undefined;
  const labels = attributes.map((each) => labelsOfAttribute(bytes, each)).find((each) => each);
  return labels && checked(labels);
}

/** Names that are the classes' own numbers say nothing. */
function checked(labels: readonly string[]): FileLabels | undefined {
  if (labels.every((label, at) => label === String(at))) return undefined;
  try {
    checkLabels(labels);
    return { kind: 'labels', labels };
  } catch (cause) {
    return { kind: 'unusable', because: `its classifier: ${messageOf(cause)}` };
  }
}

function labelsOfAttribute(
  bytes: Uint8Array,
  { from, end }: WireField,
): readonly string[] | undefined {
  const labels: string[] = [];
  let isOurs = false;
  for (const field of wireFields(bytes, from, end)) {
    if (field.number === ATTRIBUTE.name) {
      isOurs = CLASS_LABELS.has(asciiOf(field.bytes));
      if (!isOurs) return undefined;
    } else if (field.number === ATTRIBUTE.strings) labels.push(textOf(field.bytes));
    else if (field.number === ATTRIBUTE.ints) addNumbers(field.bytes, labels);
    if (labels.length > LABELS_MAX) break;
  }
  return isOurs && labels.length > 0 ? labels : undefined;
}

/** One number, or many in a row: both are written. */
function addNumbers(bytes: Uint8Array, labels: string[]): void {
  for (let at = 0; at < bytes.length && labels.length <= LABELS_MAX; ) {
    const { end } = varintAt(bytes, at, bytes.length);
    labels.push(String(BigInt.asIntN(64, exactVarint(bytes.subarray(at, end)))));
    at = end;
  }
}

function exactVarint(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => value * 128n + BigInt(byte % 128), 0n);
}

/** Short names of the format; anything else is none of them. */
function asciiOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined || bytes.length > 64 ? '' : Buffer.from(bytes).toString('latin1');
}
