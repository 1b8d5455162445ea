import type { DefaultInput, ModelEdits, Splice } from '../core/model-edits.ts';
import { defaultInputOf } from './onnx-default.ts';
import { dtypeOf } from './onnx-dtype.ts';
import { decodeValueInfo, type OnnxValueInfo } from './onnx-schema.ts';
import { textOf, varintBytes, type WireField, wireFields } from './proto-wire.ts';
import { zipMapSplices } from './zip-map.ts';

/** The fields of the format that are looked at. */
const MODEL = { irVersion: 1, graph: 7 } as const;
const GRAPH = { initializer: 5, input: 11 } as const;
const TENSOR = { name: 8 } as const;

/** From this version of the format on, an initializer that is an input too is no more than what the input has by default. */
const DEFAULTS_SINCE = 4;
/** Of one default. A larger one is a weight that an exporter listed among the inputs. */
const DEFAULT_BYTES_MAX = 64 * 1024;
/** Inputs with a default. More of them are weights, and none of them is offered. */
const DEFAULTS_MAX = 16;

/** What `editsOf` finds: the edits, and the splices of them that change what nodes do. */
export type FoundEdits = ModelEdits & { readonly nodeSplices: readonly Splice[] };

/**
 * How a file has to be changed so that the runtime, which hides inputs that have an initializer and gives no maps, takes those
 * inputs and gives tensors: their initializers are taken out, to be fed by us, and a ZipMap at the end becomes an Identity.
 * Undefined: nothing has to be. Throws an Error where the bytes are no model.
 */
export function editsOf(bytes: Uint8Array): FoundEdits | undefined {
  const head = [...only(wireFields(bytes), [MODEL.irVersion, MODEL.graph])];
  const [graph, second] = head.filter(({ number }) => number === MODEL.graph);
  if (graph === undefined || second !== undefined) return undefined;
  const nodes = zipMapSplices(bytes, graph);
  const parts = only(wireFields(bytes, graph.from, graph.end), [GRAPH.initializer, GRAPH.input]);
  const defaults = irVersionOf(head) >= DEFAULTS_SINCE ? defaultsIn(bytes, [...parts]) : [];
  if (nodes.length + defaults.length === 0) return undefined;
  const cuts = defaults.map(({ field: { start, end } }) => ({ start, end, base64: '' }));
  return {
    splices: withHeader(graph, [...nodes, ...cuts]),
    nodeSplices: withHeader(graph, nodes),
    defaults: defaults.map(({ input }) => input),
  };
}

function* only(fields: Iterable<WireField>, numbers: readonly number[]): Generator<WireField> {
  for (const field of fields) if (numbers.includes(field.number)) yield field;
}

function irVersionOf(fields: readonly WireField[]): number {
  const version = fields.find(({ number }) => number === MODEL.irVersion);
  return version?.bytes.length === 1 ? (version.bytes[0] ?? 0) : 0;
}

type Default = { readonly field: WireField; readonly input: DefaultInput };

function defaultsIn(bytes: Uint8Array, parts: readonly WireField[]): readonly Default[] {
  const inputs = new Map<string | undefined, OnnxValueInfo>();
  for (const part of parts) {
    if (part.number !== GRAPH.input) continue;
    const info = decodeValueInfo(part.bytes);
    inputs.set(info.name, info);
  }
  const found: Default[] = [];
  for (const field of parts) {
    if (field.number !== GRAPH.initializer) continue;
    const name = nameIn(bytes, field);
    const declared = inputs.get(name);
    if (name === undefined || declared === undefined || field.bytes.length > DEFAULT_BYTES_MAX) {
      continue;
    }
    const input = defaultInputOf(name, field.bytes);
    if (input && fits(input, declared)) found.push({ field, input });
    if (found.length > DEFAULTS_MAX) return [];
  }
  return found;
}

/** Whether the file's default has the type and shape that the input declares; otherwise it is no default. */
function fits({ dtype, shape }: DefaultInput, { type }: OnnxValueInfo): boolean {
  const { elem_type: element, shape: declared } = type?.tensor_type ?? {};
  const dimensions = declared?.dim ?? [];
  return (
    declared !== undefined &&
    declared !== null &&
    dtypeOf(element) === dtype &&
    dimensions.length === shape.length &&
    dimensions.every((dimension, axis) => {
      if (!Object.hasOwn(dimension, 'dim_value')) return true;
      return Number(String(dimension.dim_value)) === shape[axis];
    })
  );
}

/** Before its elements, or behind them. */
function nameIn(bytes: Uint8Array, { from, end }: WireField): string | undefined {
  for (const field of wireFields(bytes, from, end)) {
    if (field.number === TENSOR.name) return textOf(field.bytes);
  }
  return undefined;
}

/** The graph says how long it is, in front of it. */
function withHeader({ start, from, end }: WireField, inside: readonly Splice[]): readonly Splice[] {
  if (inside.length === 0) return [];
  const sorted = [...inside].sort((a, b) => a.start - b.start);
  const grown = sorted.reduce(
    (sum, each) => sum + Buffer.byteLength(each.base64, 'base64') - (each.end - each.start),
    0,
  );
  const header = Buffer.concat([varintBytes(MODEL.graph * 8 + 2), varintBytes(end - from + grown)]);
  return [{ start, end: from, base64: header.toString('base64') }, ...sorted];
}
