import protobuf from 'protobufjs/light.js';
import { type Dtype, formatShape, isDtype, type Tensor } from '../../core/tensor.ts';
import { bytesOf, type Element, wholeRangeOf } from './elements.ts';

type Reader = protobuf.Reader;

/** Fields of ModelInferResponse and of its outputs. */
const RESPONSE = { outputs: 5, rawContents: 6 } as const;
const OUTPUT = { name: 1, datatype: 2, shape: 3, contents: 5 } as const;

const BYTES = 2;

/** Where in a ModelInferResponse the outputs begin: what stands before names the model, the version and the request. */
export function grpcOutputsStart(body: Buffer): number {
  const reader = protobuf.Reader.create(body);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    if (fieldOf(tag) >= RESPONSE.outputs) return start;
    reader.skipType(tag & 7);
  }
  return body.byteLength;
}

/** The outputs of a ModelInferResponse, raw or typed. Throws an Error where it is none. */
export function grpcOutputs(body: Buffer): readonly Tensor[] {
  const outputs: Output[] = [];
  const raw: Uint8Array[] = [];
  const reader = protobuf.Reader.create(body);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (fieldOf(tag) === RESPONSE.outputs) outputs.push(outputOf(message(reader)));
    else if (fieldOf(tag) === RESPONSE.rawContents) raw.push(reader.bytes());
    else reader.skipType(tag & 7);
  }
  if (raw.length > 0 && raw.length !== outputs.length) {
    throw new Error(`expected ${outputs.length} raw contents, found ${raw.length}`);
  }
  return outputs.map((output, index) => tensorOf(output, raw[index]));
}

type Output = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly contents: Uint8Array | undefined;
};

function outputOf(reader: Reader): Output {
  let [name, datatype] = ['', ''];
  const shape: number[] = [];
  let contents: Uint8Array | undefined;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = fieldOf(tag);
    if (field === OUTPUT.name) name = reader.string();
    else if (field === OUTPUT.datatype) datatype = reader.string();
    else if (field === OUTPUT.shape) readRun(reader, tag, () => shape.push(Number(int64(reader))));
    else if (field === OUTPUT.contents) contents = reader.bytes();
    else reader.skipType(tag & 7);
  }
  return { name, datatype, shape, contents };
}

function tensorOf(
  { name, datatype, shape, contents }: Output,
  raw: Uint8Array | undefined,
): Tensor {
  const place = `output ${JSON.stringify(name)}`;
  if (!isDtype(datatype)) throw new Error(`${place}: expected a datatype, found "${datatype}"`);
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0)) {
    throw new Error(`${place}: expected a shape, found ${formatShape(shape)}`);
  }
  const head = { name, dtype: datatype, shape };
  if (raw !== undefined) return { ...head, data: raw };
  return { ...head, data: bytesOf(datatype, typedElements(datatype, contents)) };
}

type Typed = { readonly field: number; readonly read: (reader: Reader) => Element };

const BOOLS: Typed = { field: 1, read: (reader) => Number(reader.bool()) };
const INTS: Typed = { field: 2, read: (reader) => reader.int32() };
const INTS64: Typed = { field: 3, read: int64 };
const UINTS: Typed = { field: 4, read: (reader) => reader.uint32() };
const UINTS64: Typed = { field: 5, read: uint64 };
const FLOATS: Typed = { field: 6, read: (reader) => reader.float() };
const DOUBLES: Typed = { field: 7, read: (reader) => reader.double() };
const TEXTS: Typed = { field: 8, read: (reader) => reader.bytes() };

/** How the elements of a datatype stand in InferTensorContents; those of half precision travel raw only. */
const CONTENTS: Partial<Readonly<Record<Dtype, Typed>>> = {
  BOOL: BOOLS,
  INT8: INTS,
  INT16: INTS,
  INT32: INTS,
  INT64: INTS64,
  UINT8: UINTS,
  UINT16: UINTS,
  UINT32: UINTS,
  UINT64: UINTS64,
  FP32: FLOATS,
  FP64: DOUBLES,
  BYTES: TEXTS,
};

function typedElements(dtype: Dtype, contents: Uint8Array | undefined): readonly Element[] {
  const typed = CONTENTS[dtype];
  const elements: Element[] = [];
  if (contents === undefined) return elements;
  const reader = protobuf.Reader.create(contents);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (typed === undefined || fieldOf(tag) !== typed.field) {
      throw new Error(`expected typed contents for ${dtype}, found field ${fieldOf(tag)}`);
    }
    if (typed === TEXTS) elements.push(typed.read(reader));
    else readRun(reader, tag, () => elements.push(typed.read(reader)));
  }
  const range = wholeRangeOf(dtype);
  const stray = elements.find(
    (element) =>
      range && typeof element !== 'object' && (element < range.min || element > range.max),
  );
  if (stray !== undefined) throw new Error(`expected elements of ${dtype}, found ${stray}`);
  return elements;
}

/** Numbers of a repeated field: one, or as many as are packed into one run. */
function readRun(reader: Reader, tag: number, read: () => void): void {
  if ((tag & 7) !== BYTES) {
    read();
    return;
  }
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) throw new Error('expected the rest of packed numbers, found the end');
  while (reader.pos < end) read();
}

function message(reader: Reader): Reader {
  return protobuf.Reader.create(reader.bytes());
}

function int64(reader: Reader): bigint {
  return BigInt.asIntN(64, uint64(reader));
}

/** By hand, as the library rounds to a double where it finds no class for more. */
function uint64(reader: Reader): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.buf[reader.pos];
    if (byte === undefined || reader.pos >= reader.len) break;
    reader.pos += 1;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asUintN(64, value);
  }
  throw new Error('expected the rest of a number, found the end');
}

function fieldOf(tag: number): number {
  return tag >>> 3;
}
