import type { InferResponse } from '../../core/infer.ts';
import type { Tensor } from '../../core/tensor.ts';
import { hasContents, writeContents } from './encode-contents.ts';
import { FEEDBACK_KEY } from './metadata.ts';
import { itemsBytes, UnwrittenMessage } from './unwritten-message.ts';
import { WIRE } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/**
 * How an answer's tensors are written. `raw`: in `raw_output_contents`, as Triton does; `typed`: in the contents of each output;
 * `both`: each client reads the form that it knows.
 */
export type ContentsForm = 'raw' | 'typed' | 'both';

/** An answer, and how its caller wants it. */
export type Answer = {
  readonly response: InferResponse;
  /** The request's own id, to be echoed; empty: none. */
  readonly id: string;
  readonly form: ContentsForm;
  /** The token under which a label may come; undefined: none. */
  readonly token: string | undefined;
};

const RAW_FIELD = 6;

/** The field of a ModelStreamInferResponse that holds the answer. */
const STREAMED_FIELD = 2;

/** Bytes of a message up to which an answer has both forms: what clients of gRPC take by default (4 MiB). */
const BOTH_BYTES_MAX = 4 * 1024 * 1024;

/** One for all: writing is done in one go. */
const writer = new WireWriter();

/**
 * A ModelInferResponse. Half precision has no typed form: an output of it is raw in both forms, and where only the typed form is
 * wanted, all outputs are raw. What would be too large in both forms is raw. The bytes of raw tensors are not copied yet.
 */
export function encodeAnswer(answer: Answer): UnwrittenMessage {
  writer.clear();
  const items = writeAnswer(answer);
  const head = Buffer.from(writer.written());
  return new UnwrittenMessage({ head, field: RAW_FIELD, items });
}

/** A ModelStreamInferResponse with an answer, which says that it is the only one to its request. */
export function encodeStreamed(answer: Answer): UnwrittenMessage {
  writer.clear();
  const items = writeAnswer(answer);
  writeParameter('triton_final_response', () => writer.flag(1, true));
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

/** Writes what comes before the raw tensors, and returns those. */
function writeAnswer(answer: Answer): readonly Uint8Array[] {
  const { form, response } = answer;
  const { outputs } = response;
  if (form === 'typed' && outputs.every(hasContents)) {
    writeHead(answer, hasContents);
    return [];
  }
  const items = outputs.map(({ data }) => data);
  const rawBytes = itemsBytes(items);
  if (form === 'both' && rawBytes <= BOTH_BYTES_MAX) {
    writeHead(answer, hasContents);
    if (writer.written().length + rawBytes <= BOTH_BYTES_MAX) return items;
    writer.clear();
  }
  writeHead(answer, () => false);
  return items;
}

/** The token is a parameter too: many clients show no metadata, and in a stream it comes once for all answers. */
function writeHead(
  { response: { model, version, outputs }, id, token }: Answer,
  isTyped: (output: Tensor) => boolean,
): void {
  writer.text(1, model);
  writer.text(2, version);
  writer.text(3, id);
  if (token !== undefined) writeParameter(FEEDBACK_KEY, () => writer.text(3, token));
  for (const tensor of outputs) writer.nested(5, () => writeOutput(tensor, isTyped(tensor)));
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
