import type { handleUnaryCall } from '@grpc/grpc-js';

import { messageOf, ServeError } from '../../core/errors.ts';
import type { Codec } from './definitions.ts';
import { statusOf } from './status.ts';
import type { Sendable } from './unwritten-message.ts';
import { WireReader } from './wire-reader.ts';

/** A call as the library hands it over: messages are bytes, or about to be. */
export type BytesHandler = handleUnaryCall<Buffer, Sendable>;

export type ReportError = (operation: string, error: unknown) => void;

/** A call of one message each way that needs no more than that: decode, run, encode, or tell what went wrong. */
export function unary<Request extends object>(
  codec: Codec,
  run: (request: Request) => object | Promise<object>,
  onInternalError: ReportError,
): BytesHandler {
  return (call, callback) => {
    answer(codec, run, call.request).then(
      (bytes) => callback(null, bytes),
      (thrown: unknown) => {
        reportFault(thrown, onInternalError);
        callback(statusOf(thrown));
      },
    );
  };
}

async function answer<Request extends object>(
  codec: Codec,
  run: (request: Request) => object | Promise<object>,
  bytes: Buffer,
): Promise<Buffer> {
  return codec.responseSerialize(await run(decode<Request>(codec, bytes)));
}

/** @throws ServeError `invalid_input` where the bytes are no such message. */
export function decode<Request extends object>(codec: Codec, bytes: Buffer): Request {
  // The library takes a string that is cut off for a short one.
  const reader = new WireReader(bytes);
  while (reader.next()) reader.skip();
  try {
    return codec.requestDeserialize(bytes) as Request;
  } catch (thrown) {
    throw new ServeError('invalid_input', `malformed protobuf message: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}

/** Whatever is thrown and is no ServeError is a fault of ours; those that are have been reported where they were made. */
export function reportFault(thrown: unknown, onInternalError: ReportError): void {
  if (!(thrown instanceof ServeError)) onInternalError('grpc', thrown);
}
