import type { handleUnaryCall, Metadata } from '@grpc/grpc-js';

import { messageOf, ServeError } from '../../core/errors.ts';
import type { Codec } from './definitions.ts';
import { statusOf } from './status.ts';
import type { Sendable } from './unwritten-message.ts';
import { WireReader } from './wire-reader.ts';

/** A call as the library hands it over: messages are bytes, or about to be. */
export type BytesHandler = handleUnaryCall<Buffer, Sendable>;

export type ReportError = (operation: string, error: unknown) => void;

/** Bytes of the message of a call that is not inference and brings no files. */
const MESSAGE_BYTES_MAX = 65_536;

/** Fields of one message that is not inference, repeated ones included: the most that mean anything are the files of a load. */
const FIELDS_MAX = 1_024;

export type UnaryOptions<Request extends object> = {
  readonly codec: Codec;
  /** `metadata`: what the call came with. */
  readonly run: (request: Request, metadata: Metadata) => object | Promise<object>;
  readonly onInternalError: ReportError;
  /** Bytes of a message; undefined: 64 KiB. */
  readonly bytesMax?: number | undefined;
};

/** A unary call: decode, run, encode, or answer with an error status. */
export function unary<Request extends object>(options: UnaryOptions<Request>): BytesHandler {
  return (call, callback) => {
    answer(options, call).then(
      (bytes) => callback(null, bytes),
      (thrown: unknown) => {
        reportFault(thrown, options.onInternalError);
        callback(statusOf(thrown));
      },
    );
  };
}

async function answer<Request extends object>(
  { codec, run, bytesMax }: UnaryOptions<Request>,
  { request, metadata }: { readonly request: Buffer; readonly metadata: Metadata },
): Promise<Buffer> {
  return codec.responseSerialize(await run(decode<Request>(codec, request, bytesMax), metadata));
}

/**
 * @throws ServeError `invalid_input` where the bytes are no such message, `too_large` where there are more of them than a call
 * can mean: the library makes an object of every two.
 */
export function decode<Request extends object>(
  codec: Codec,
  bytes: Buffer,
  bytesMax = MESSAGE_BYTES_MAX,
): Request {
  if (bytes.length > bytesMax) throw tooLarge(`at most ${bytesMax} bytes`, `${bytes.length}`);
  // The library takes a string that is cut off for a short one.
  const reader = new WireReader(bytes);
  for (let fields = 1; reader.next(); fields += 1) {
    if (fields > FIELDS_MAX) throw tooLarge(`at most ${FIELDS_MAX} fields`, 'more');
    reader.skip();
  }
  try {
    return codec.requestDeserialize(bytes) as Request;
  } catch (thrown) {
    throw new ServeError('invalid_input', `malformed protobuf message: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}

function tooLarge(expected: string, found: string): ServeError {
  return new ServeError(
    'too_large',
    `the message is over the limit: expected ${expected}, found ${found}`,
  );
}

/** Anything thrown that is no ServeError is a fault of ours; those that are have been reported where they were made. */
export function reportFault(thrown: unknown, onInternalError: ReportError): void {
  if (!(thrown instanceof ServeError)) onInternalError('grpc', thrown);
}
