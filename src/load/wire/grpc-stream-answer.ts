import protobuf from 'protobufjs/light.js';
import { MessageError } from './grpc-message.ts';

/** One answer of a stream. */
export type StreamAnswer = {
  /** Of the request that it answers; empty: it does not say. */
  readonly id: string;
  /** The server's words; undefined: answered with success. */
  readonly error: string | undefined;
  /** The ModelInferResponse. */
  readonly response: Buffer;
};

/** Wire types of protobuf. */
const BYTES = 2;

const STREAM_ERROR_FIELD = 1;
const STREAM_RESPONSE_FIELD = 2;
/** The id of a ModelInferRequest, and that of a ModelInferResponse. */
const ID_FIELD = 3;

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Reads a ModelStreamInferResponse. There are servers that stream a ModelInferResponse as it is; they are recognised by fields
 * that the other does not have. Throws a MessageError where it is neither.
 */
export function readStreamAnswer(message: Buffer): StreamAnswer {
  try {
    return readEither(message);
  } catch (cause) {
    throw new MessageError('malformed answer', { cause });
  }
}

function readEither(message: Buffer): StreamAnswer {
  const reader = protobuf.Reader.create(message);
  let error = NOTHING;
  let response = NOTHING;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    if (field > STREAM_RESPONSE_FIELD)
      return { id: idOf(message), error: undefined, response: message };
    const value = bytesAt(reader, message, tag);
    if (field === STREAM_ERROR_FIELD) error = value;
    else if (field === STREAM_RESPONSE_FIELD) response = value;
  }
  const text = error.byteLength === 0 ? undefined : error.toString();
  return { id: idOf(response), error: text, response };
}

/** The id in a ModelInferResponse, which mostly stands near its beginning; empty: none. */
function idOf(response: Buffer): string {
  const reader = protobuf.Reader.create(response);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === ID_FIELD) return bytesAt(reader, response, tag).toString();
    reader.skipType(tag & 7);
  }
  return '';
}

/** A field that must be a string, bytes or a message, as a view. */
function bytesAt(reader: protobuf.Reader, message: Buffer, tag: number): Buffer {
  if ((tag & 7) !== BYTES) throw new Error(`expected bytes in field ${tag >>> 3}`);
  const bytes = reader.uint32();
  const start = reader.pos;
  reader.skip(bytes);
  return message.subarray(start, start + bytes);
}

/** An id of so many bytes that stands behind a ModelInferRequest and is the request's then: the last one counts. */
const ID_BYTES = 10;
export const ID_FIELD_BYTES = 2 + ID_BYTES;

/** The field of an id of `ID_BYTES` in ASCII. */
export function idField(id: string): Buffer {
  const field = Buffer.allocUnsafe(ID_FIELD_BYTES);
  field[0] = (ID_FIELD << 3) | BYTES;
  field[1] = ID_BYTES;
  field.write(id, 2, 'latin1');
  return field;
}
