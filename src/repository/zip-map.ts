import type { Splice } from '../core/model-edits.ts';
import { textOf, varintAt, varintBytes, type WireField, wireFields } from './proto-wire.ts';

/** The fields of the format that are looked at, or written. */
const GRAPH = { node: 1, input: 11, output: 12 } as const;
const NODE = { input: 1, output: 2, operator: 4, attribute: 5, domain: 7 } as const;
const ATTRIBUTE = { name: 1, ints: 8, strings: 9 } as const;
const VALUE = { name: 1, type: 2 } as const;
const TYPE = { tensor: 1, sequence: 4 } as const;
const TENSOR_TYPE = { element: 1, shape: 2 } as const;
const SHAPE = { dimension: 1 } as const;
const DIMENSION = { value: 1 } as const;
const FLOAT = 1;

type ZipMap = {
  readonly node: WireField;
  readonly input: Uint8Array;
  readonly output: string;
  readonly classes: number;
};

/**
 * What turns each ZipMap whose sequence of maps is an output into an Identity, and that output into the table of scores that the
 * ZipMap takes: [rows, classes], FP32. The output keeps its name and its place.
 */
export function zipMapSplices(bytes: Uint8Array, graph: WireField): readonly Splice[] {
  const sequences: WireField[] = [];
  for (const part of wireFields(bytes, graph.from, graph.end)) {
    if (part.number === GRAPH.output && isSequence(bytes, part)) sequences.push(part);
  }
  if (sequences.length === 0) return [];
  const parts = [...wireFields(bytes, graph.from, graph.end)];
  const zipMaps = parts.flatMap((part) =>
    part.number === GRAPH.node ? (zipMapIn(bytes, part) ?? []) : [],
  );
  const rows = leadingDimension(bytes, parts);
  return sequences.flatMap((output) => {
    const name = nameIn(bytes, output);
    const found = zipMaps.find((each) => each.output === name);
    if (name === undefined || found === undefined || isUsed(bytes, parts, name)) return [];
    return [
      splice(found.node, identity(found)),
      splice(output, table(Buffer.from(name), rows, found.classes)),
    ];
  });
}

function splice({ start, end }: WireField, bytes: Buffer): Splice {
  return { start, end, base64: bytes.toString('base64') };
}

function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([varintBytes(number * 8 + 2), varintBytes(content.length), content]);
}

function whole(number: number, value: number): Buffer {
  return Buffer.concat([varintBytes(number * 8), varintBytes(value)]);
}

function identity({ input, output }: ZipMap): Buffer {
  const node = [
    field(NODE.input, input),
    field(NODE.output, Buffer.from(output)),
    field(NODE.operator, Buffer.from('Identity')),
  ];
  return field(GRAPH.node, Buffer.concat(node));
}

function table(name: Uint8Array, rows: Uint8Array, classes: number): Buffer {
  const shape = Buffer.concat([
    field(SHAPE.dimension, rows),
    field(SHAPE.dimension, whole(DIMENSION.value, classes)),
  ]);
  const tensor = Buffer.concat([
    whole(TENSOR_TYPE.element, FLOAT),
    field(TENSOR_TYPE.shape, shape),
  ]);
  const type = field(TYPE.tensor, tensor);
  return field(GRAPH.output, Buffer.concat([field(VALUE.name, name), field(VALUE.type, type)]));
}

function isSequence(bytes: Uint8Array, value: WireField): boolean {
  return partAt(bytes, value, [VALUE.type, TYPE.sequence]) !== undefined;
}

function nameIn(bytes: Uint8Array, value: WireField): string | undefined {
  const name = partAt(bytes, value, [VALUE.name]);
  return name && textOf(name.bytes);
}

/** The rows of the table are those of the first input. */
function leadingDimension(bytes: Uint8Array, parts: readonly WireField[]): Uint8Array {
  const input = parts.find(({ number }) => number === GRAPH.input);
  const path = [VALUE.type, TYPE.tensor, TENSOR_TYPE.shape, SHAPE.dimension];
  return (input && partAt(bytes, input, path)?.bytes) ?? new Uint8Array(0);
}

/** The first field on a path of fields. */
function partAt(
  bytes: Uint8Array,
  { from, end }: WireField,
  [number, ...path]: readonly number[],
): WireField | undefined {
  for (const part of wireFields(bytes, from, end)) {
    if (part.number === number) return path.length === 0 ? part : partAt(bytes, part, path);
  }
  return undefined;
}

function zipMapIn(bytes: Uint8Array, node: WireField): ZipMap | undefined {
  const parts = [...wireFields(bytes, node.from, node.end)];
  const textsAt = (number: number) =>
    parts.filter((part) => part.number === number).map((part) => textOf(part.bytes));
  if (textsAt(NODE.operator)[0] !== 'ZipMap') return undefined;
  if (textsAt(NODE.domain)[0] !== 'ai.onnx.ml') return undefined;
  const input = parts.find(({ number }) => number === NODE.input)?.bytes;
  const [output] = textsAt(NODE.output);
  const classes = parts
    .filter(({ number }) => number === NODE.attribute)
    .reduce((sum, each) => sum + classesIn(bytes, each), 0);
  if (input === undefined || output === undefined || classes === 0) return undefined;
  return { node, input, output, classes };
}

function classesIn(bytes: Uint8Array, { from, end }: WireField): number {
  let count = 0;
  for (const part of wireFields(bytes, from, end)) {
    if (part.number === ATTRIBUTE.name && !textOf(part.bytes).startsWith('classlabels_')) return 0;
    if (part.number === ATTRIBUTE.strings) count += 1;
    if (part.number === ATTRIBUTE.ints) count += numbersIn(part.bytes);
  }
  return count;
}

function numbersIn(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at = varintAt(bytes, at, bytes.length).end) count += 1;
  return count;
}

/** Whether another node takes this value: it would get a table in place of maps. */
function isUsed(bytes: Uint8Array, parts: readonly WireField[], name: string): boolean {
  const wanted = Buffer.from(name);
  return parts.some(
    (part) =>
      part.number === GRAPH.node &&
      [...wireFields(bytes, part.from, part.end)].some(
        (each) => each.number === NODE.input && wanted.equals(each.bytes),
      ),
  );
}
