/** Typed contents (InferTensorContents): from the wire straight to a tensor's bytes, with no array of numbers between. */
import { ServeError } from '../../core/errors.ts';
import { INTEGER_RANGES, TYPED_ARRAYS } from '../../core/numbers.ts';
import type { Dtype } from '../../core/tensor.ts';
import type { Quota } from './quota.ts';
import { malformed, WIRE, WireReader } from './wire-reader.ts';

/** The fields of an InferTensorContents, from number 1. */
const FIELDS = [
  'bool_contents',
  'int_contents',
  'int64_contents',
  'uint_contents',
  'uint64_contents',
  'fp32_contents',
  'fp64_contents',
  'bytes_contents',
] as const;

type Field = (typeof FIELDS)[number];

/** Which field holds a datatype's elements. Half precision has none, and is sent raw. */
export const FIELD_OF = {
  BOOL: 'bool_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  FP16: undefined,
  BF16: undefined,
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
} as const satisfies Record<Dtype, Field | undefined>;

/** What the typed contents of one request may cost, all of its inputs together. */
export type ContentsQuota = {
  /** Elements that are one by one: strings always are, numbers where they are not packed. */
  readonly values: Quota;
  /** Integers and flags: a byte of the message becomes up to eight of the tensor. */
  readonly elements: Quota;
};

export type Described = {
  readonly name: string;
  readonly dtype: Dtype;
  readonly quota: ContentsQuota;
};

/**
 * The data of a tensor whose contents came in these parts. Elements may be packed, or come one by one, or both; floats that are
 * packed in one piece are not even copied.
 * @throws ServeError `invalid_input` where elements are in a field that is not the datatype's, or out of its range, `too_large`
 * where there are more than the request may have.
 */
export function decodeContents(parts: readonly Buffer[], tensor: Described): Uint8Array {
  const { dtype } = tensor;
  switch (dtype) {
    case 'FP32':
      return joinFixed(parts, tensor, 4);
    case 'FP64':
      return joinFixed(parts, tensor, 8);
    case 'BYTES':
      return joinStrings(parts, tensor);
    case 'BOOL':
      return readFlags(parts, tensor);
    case 'INT64':
    case 'UINT64':
      return readWide(parts, tensor);
    case 'FP16':
    case 'BF16':
      throw new ServeError(
        'invalid_input',
        `input '${tensor.name}' of datatype ${dtype} must use raw_input_contents: expected no contents, found some`,
      );
    default:
      return readNarrow(parts, tensor, dtype);
  }
}

/** Raw contents have no such bound. */
const VALUES = 'values or runs of them in typed contents (raw_input_contents may have more)';
const ELEMENTS = 'elements in typed contents (raw_input_contents may have more)';

/** Calls back with the bytes of each value, or run of packed values, of the tensor's field. */
function visit(parts: readonly Buffer[], tensor: Described, take: (chunk: Buffer) => void): void {
  const field = FIELD_OF[tensor.dtype];
  for (const part of parts) {
    const reader = new WireReader(part);
    while (reader.next()) {
      const name = FIELDS[reader.field - 1];
      if (name === field && fitsWire(reader.type, field)) take(reader.value());
      else if (name === undefined || name === field) reader.skip();
      else refuseOther(name, reader.value(), tensor);
    }
  }
}

/** The first visit, which finds out how large the tensor is. */
function measure(parts: readonly Buffer[], tensor: Described, take: (chunk: Buffer) => void): void {
  visit(parts, tensor, (chunk) => {
    tensor.quota.values.take(VALUES);
    take(chunk);
  });
}

function fitsWire(type: number, field: Field | undefined): boolean {
  if (type === WIRE.bytes) return true;
  if (field === 'fp32_contents') return type === WIRE.fixed32;
  if (field === 'fp64_contents') return type === WIRE.fixed64;
  return type === WIRE.varint && field !== 'bytes_contents';
}

/** Some clients send the other fields too, as empty lists. */
function refuseOther(found: Field, value: Buffer, { name, dtype }: Described): void {
  if (value.length === 0 && found !== 'bytes_contents') return;
  throw new ServeError(
    'invalid_input',
    `unexpected contents of input '${name}': expected ${FIELD_OF[dtype]} for datatype ${dtype}, found ${found}`,
  );
}

function joinFixed(parts: readonly Buffer[], tensor: Described, width: number): Uint8Array {
  let [bytes, chunks] = [0, 0];
  let first: Uint8Array = EMPTY;
  measure(parts, tensor, (chunk) => {
    if (chunk.length % width !== 0) {
      throw malformed(`elements of ${width} bytes`, `${chunk.length} bytes of them`);
    }
    if (chunks === 0) first = chunk;
    chunks += 1;
    bytes += chunk.length;
  });
  if (chunks <= 1) return first;
  const data = new Uint8Array(bytes);
  let at = 0;
  visit(parts, tensor, (chunk) => {
    data.set(chunk, at);
    at += chunk.length;
  });
  return data;
}

const EMPTY = Buffer.alloc(0);

function joinStrings(parts: readonly Buffer[], tensor: Described): Uint8Array {
  let bytes = 0;
  measure(parts, tensor, (element) => {
    bytes += 4 + element.length;
  });
  const data = Buffer.allocUnsafe(bytes);
  let at = 0;
  visit(parts, tensor, (element) => {
    at = data.writeUInt32LE(element.length, at);
    data.set(element, at);
    at += element.length;
  });
  return data;
}

/** The number of elements, without reading them: every varint ends with the only byte of it that is below 128. */
function countVarints(parts: readonly Buffer[], tensor: Described): number {
  let count = 0;
  measure(parts, tensor, (chunk) => {
    for (const byte of chunk) if (byte < 0x80) count += 1;
  });
  tensor.quota.elements.take(ELEMENTS, count);
  return count;
}

function readFlags(parts: readonly Buffer[], tensor: Described): Uint8Array {
  const data = new Uint8Array(countVarints(parts, tensor));
  let at = 0;
  visit(parts, tensor, (chunk) => {
    const reader = new WireReader(chunk);
    for (; reader.more(); at += 1) data[at] = reader.bool() ? 1 : 0;
  });
  return data;
}

function readWide(parts: readonly Buffer[], tensor: Described): Uint8Array {
  const halves = new Int32Array(2 * countVarints(parts, tensor));
  let at = 0;
  visit(parts, tensor, (chunk) => {
    const reader = new WireReader(chunk);
    for (; reader.more(); at += 2) {
      reader.varint();
      halves[at] = reader.low;
      halves[at + 1] = reader.high;
    }
  });
  return new Uint8Array(halves.buffer);
}

type Narrow = keyof typeof INTEGER_RANGES;

/** A 32-bit field holds the lowest 32 bits of what was sent, as protobuf has it; narrower datatypes are checked. */
function readNarrow(parts: readonly Buffer[], tensor: Described, dtype: Narrow): Uint8Array {
  const { min, max } = INTEGER_RANGES[dtype];
  const elements = new TYPED_ARRAYS[dtype](countVarints(parts, tensor));
  let at = 0;
  visit(parts, tensor, (chunk) => {
    const reader = new WireReader(chunk);
    for (; reader.more(); at += 1) {
      reader.varint();
      const value = min < 0 ? reader.low : reader.low >>> 0;
      if (value < min || value > max) throw outOfRange(tensor, dtype, value);
      elements[at] = value;
    }
  });
  return new Uint8Array(elements.buffer);
}

function outOfRange({ name }: Described, dtype: Narrow, found: number): ServeError {
  const { min, max } = INTEGER_RANGES[dtype];
  return new ServeError(
    'invalid_input',
    `element of input '${name}' is out of range: expected ${min} to ${max} for ${dtype}, found ${found}`,
  );
}
