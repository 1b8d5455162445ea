import type { InferResponse } from '../../core/infer.ts';
import type { Tensor } from '../../core/tensor.ts';
import { hasContents, writeContents } from './encode-contents.ts';
import { FEEDBACK_KEY } from './metadata.ts';
import { itemsBytes, UnwrittenMessage } from './unwritten-message.ts';
import { WIRE } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** An answer, and how its caller wants it. */
export type Answer = {
  readonly response: InferResponse;
  /** The request's own id, to be echoed; empty: none. */
  readonly id: string;
  /** True: tensors in typed contents, as far as they can be. */
  readonly typed: boolean;
  /** The token under which a label may come; undefined: none. */
  readonly token: string | undefined;
};

const RAW_FIELD = 6;

/** The field of a ModelStreamInferResponse that holds the answer. */
const STREAMED_FIELD = 2;

/** One for all: writing is done in one go. */
const writer = new WireWriter();

/**
 * A ModelInferResponse. Tensors are raw; in typed contents where the caller wants that and no output is of half precision, which
 * has no typed form. The bytes of tensors are not copied yet.
 */
export function encodeAnswer(answer: Answer): UnwrittenMessage {
  writer.clear();
  writeHead(answer);
  const head = Buffer.from(writer.written());
  return new UnwrittenMessage({ head, field: RAW_FIELD, items: rawOutputs(answer) });
}

/**
 * A ModelStreamInferResponse with an answer. In a stream each answer says that it is the only one to its request, and brings the
 * token that metadata brings elsewhere as a parameter: metadata comes once for all of them.
 */
export function encodeStreamed(answer: Answer): UnwrittenMessage {
  const items = rawOutputs(answer);
  writer.clear();
  writeHead(answer);
  writeParameter('triton_final_response', () => writer.flag(1, true));
  const { token } = answer;
  if (token !== undefined) writeParameter(FEEDBACK_KEY, () => writer.text(3, token));
  const inner = Buffer.from(writer.written());
  writer.clear();
  writer.tag(STREAMED_FIELD, WIRE.bytes);
  writer.varint(inner.length + itemsBytes(items));
  return new UnwrittenMessage({
    head: Buffer.concat([writer.written(), inner]),
    field: RAW_FIELD,
    items,
  });
}

/** A ModelStreamInferResponse for a request that failed. */
export function encodeStreamedFailure(message: string, id: string): Buffer {
  writer.clear();
  writer.text(1, message);
  writer.nested(STREAMED_FIELD, () => writer.text(3, id));
  return Buffer.from(writer.written());
}

/** The tensors that are sent raw: all of them or none, as the protocol has it. */
function rawOutputs({ response: { outputs }, typed }: Answer): readonly Uint8Array[] {
  return typed && outputs.every(hasContents) ? [] : outputs.map(({ data }) => data);
}

function writeHead({ response: { model, version, outputs }, id, typed }: Answer): void {
  const isTyped = typed && outputs.every(hasContents);
  writer.text(1, model);
  writer.text(2, version);
  writer.text(3, id);
  for (const tensor of outputs) writer.nested(5, () => writeOutput(tensor, isTyped));
}

function writeOutput(tensor: Tensor, isTyped: boolean): void {
  const { name, dtype, shape } = tensor;
  writer.text(1, name);
  writer.text(2, dtype);
  if (shape.length > 0) {
    writer.nested(3, () => {
      for (const dimension of shape) writer.varint(dimension);
    });
  }
  if (isTyped) writer.nested(5, () => writeContents(writer, tensor));
}

function writeParameter(name: string, writeValue: () => void): void {
  writer.nested(4, () => {
    writer.text(1, name);
    writer.nested(2, writeValue);
  });
}
