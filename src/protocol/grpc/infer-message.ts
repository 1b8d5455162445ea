import { ServeError } from '../../core/errors.ts';
import type { ParameterValue } from '../parameters.ts';
import { Quota } from './quota.ts';
import { WIRE, type WireReader } from './wire-reader.ts';

/** A ModelInferRequest as it was sent: the shape of it, with its tensors still in the message's own bytes. */
export type InferMessage = {
  readonly model: string;
  readonly version: string;
  readonly id: string;
  readonly parameters: MessageParameters;
  readonly inputs: readonly InputMessage[];
  readonly outputs: readonly OutputMessage[];
  readonly raw: readonly Buffer[];
};

export type InputMessage = {
  readonly name: string;
  readonly dtype: string;
  /** Not yet checked: dimensions may be negative, or beyond 2^53 and no longer exact. */
  readonly shape: readonly number[];
  /** The first dimension that is beyond 2^53, as it was sent. */
  readonly inexact?: bigint;
  readonly parameters: MessageParameters;
  /** The InferTensorContents, in the parts that it was sent in; empty: none was sent. */
  readonly contents: readonly Buffer[];
};

export type OutputMessage = { readonly name: string; readonly parameters: MessageParameters };

export type MessageParameters = Readonly<Record<string, ParameterValue>>;

/** Stands for a field that is not written as it should be: it is skipped, as one of an unknown number is. */
const UNKNOWN = 0;

/** Parameters, dimensions, and parts that contents come in, of all tensors together: 64 for each of 1,024 tensors. */
const ITEMS_MAX = 65_536;

/**
 * Reads a ModelInferRequest from its bytes. Fields may come in any order, and unknown ones are skipped; raw contents and typed
 * contents are views.
 * @throws ServeError `invalid_input` where the bytes are no such message, `too_large` where there is more of something than allowed.
 */
export function readInferMessage(
  reader: WireReader,
  { tensorsMax }: { readonly tensorsMax: number },
): InferMessage {
  const message = {
    model: '',
    version: '',
    id: '',
    parameters: noParameters(),
    inputs: [] as InputMessage[],
    outputs: [] as OutputMessage[],
    raw: [] as Buffer[],
  };
  const items = new Quota(ITEMS_MAX);
  while (reader.next()) {
    switch (reader.type === WIRE.bytes ? reader.field : UNKNOWN) {
      case 1:
        message.model = reader.string();
        break;
      case 2:
        message.version = reader.string();
        break;
      case 3:
        message.id = reader.string();
        break;
      case 4:
        readParameter(reader.message(), message.parameters, items);
        break;
      case 5:
        add(message.inputs, readInput(reader.message(), items), tensorsMax);
        break;
      case 6:
        add(message.outputs, readOutput(reader.message(), items), tensorsMax);
        break;
      case 7:
        add(message.raw, reader.bytes(), tensorsMax);
        break;
      default:
        reader.skip();
    }
  }
  return message;
}

type Draft = {
  name: string;
  dtype: string;
  readonly shape: number[];
  inexact?: bigint;
  readonly parameters: Record<string, ParameterValue>;
  readonly contents: Buffer[];
};

function readInput(reader: WireReader, items: Quota): InputMessage {
  const input: Draft = {
    name: '',
    dtype: '',
    shape: [],
    parameters: noParameters(),
    contents: [],
  };
  while (reader.next()) {
    if (reader.field === 3) readShape(reader, input, items);
    else if (reader.type !== WIRE.bytes) reader.skip();
    else if (reader.field === 1) input.name = reader.string();
    else if (reader.field === 2) input.dtype = reader.string();
    else if (reader.field === 4) readParameter(reader.message(), input.parameters, items);
    else if (reader.field === 5) {
      items.take('parts of contents');
      input.contents.push(reader.bytes());
    } else reader.skip();
  }
  return input;
}

/** Dimensions are packed, or one by one from older encoders. */
function readShape(
  reader: WireReader,
  input: Pick<Draft, 'shape' | 'inexact'>,
  items: Quota,
): void {
  const take = (from: WireReader): void => {
    items.take('dimensions');
    const dimension = from.integer();
    input.shape.push(dimension);
    if (Number.isSafeInteger(dimension)) return;
    input.inexact ??= (BigInt(from.high) << 32n) + BigInt(from.low >>> 0);
  };
  if (reader.type === WIRE.varint) take(reader);
  else if (reader.type === WIRE.bytes) {
    const packed = reader.message();
    while (packed.more()) take(packed);
  } else reader.skip();
}

function readOutput(reader: WireReader, items: Quota): OutputMessage {
  const output = { name: '', parameters: noParameters() };
  while (reader.next()) {
    if (reader.type !== WIRE.bytes) reader.skip();
    else if (reader.field === 1) output.name = reader.string();
    else if (reader.field === 2) readParameter(reader.message(), output.parameters, items);
    else reader.skip();
  }
  return output;
}

/** One entry of a map: the last of equal keys wins. A parameter without a value says nothing. */
function readParameter(
  reader: WireReader,
  parameters: Record<string, ParameterValue>,
  items: Quota,
): void {
  items.take('parameters');
  let key = '';
  let value: ParameterValue | undefined;
  while (reader.next()) {
    if (reader.type !== WIRE.bytes) reader.skip();
    else if (reader.field === 1) key = reader.string();
    else if (reader.field === 2) value = readValue(reader.message()) ?? value;
    else reader.skip();
  }
  if (value !== undefined) parameters[key] = value;
}

function readValue(reader: WireReader): ParameterValue | undefined {
  let value: ParameterValue | undefined;
  while (reader.next()) {
    switch ((reader.field << 3) | reader.type) {
      case (1 << 3) | WIRE.varint:
        value = reader.bool();
        break;
      case (2 << 3) | WIRE.varint:
        value = reader.int64();
        break;
      case (3 << 3) | WIRE.bytes:
        value = reader.string();
        break;
      case (4 << 3) | WIRE.fixed64:
        value = reader.double();
        break;
      case (5 << 3) | WIRE.varint:
        value = reader.uint64();
        break;
      default:
        reader.skip();
    }
  }
  return value;
}

/** Without a prototype: the keys are the caller's. */
function noParameters(): Record<string, ParameterValue> {
  return Object.create(null) as Record<string, ParameterValue>;
}

function add<Item>(items: Item[], item: Item, countMax: number): void {
  items.push(item);
  if (items.length <= countMax) return;
  throw new ServeError(
    'too_large',
    `too many tensors: expected at most ${countMax}, found ${countMax + 1} or more`,
  );
}
