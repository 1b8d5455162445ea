import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import {
  type Metadata,
  type ServerInterceptingCall,
  type ServerInterceptor,
  type ServerMethodDefinition,
  status,
} from '@grpc/grpc-js';

import { ServeError, type ServeErrorCode } from '../../core/errors.ts';
import type { MemoryBudget, MemoryShare } from '../memory-budget.ts';
import { onArriving, PREFIX_BYTES } from './arriving.ts';
import { encodingNamed, inflate } from './inflate.ts';
import { type CallInternals, callInternals } from './library-internals.ts';
import { refusing } from './refusing-call.ts';
import { statusOf } from './status.ts';
import type { ReportError } from './unary.ts';

export type CallMemoryOptions = {
  /** What all requests may hold together, those of other protocols among them. */
  readonly budget: MemoryBudget;
  /** Bytes of one message, inflated. */
  readonly messageBytesMax: number;
  /** Whether the handler of a path releases the memory of its messages itself. For other streams each message is released when read. */
  readonly givesBack: (path: string) => boolean;
  /** A call was refused whose message is not known yet. */
  readonly onRefused: () => void;
  /** Called for a call that looks different inside: its caller learns only that it failed. */
  readonly onInternalError: ReportError;
};

/** What clients of gRPC expect where the fault is not in what a message says, but in how it came. */
const INFLATE_STATUS: Partial<Record<ServeErrorCode, { readonly code: status }>> = {
  too_large: { code: status.RESOURCE_EXHAUSTED },
  invalid_input: { code: status.INTERNAL },
};

/** Bytes of an open call, in addition to its messages. */
const CALL_BYTES = 8_192;

/** Beyond the text of a name and its value, as HTTP/2 counts. */
const HEADER_BYTES = 32;

/** A frame that is so small a part of one read is copied: that costs little. */
const SMALL_PARTS = 8;

/** Memory counts as short once calls hold such a part of the budget: with the one above it bounds what is held and not counted. */
const SHORT_PARTS = 8;

/**
 * Counts what calls hold of the memory for all requests: themselves with their metadata, bytes as they arrive on the connection,
 * whether they have been read or not (inflated bytes replace compressed ones), and answers until they have been written.
 * The library itself bounds a message and the number of calls of a connection, and nothing over all of them.
 *
 * Bytes are counted where HTTP/2 puts them into a stream; the rest is counted inside of the library's calls. A call that looks
 * different inside is refused.
 */
export class CallMemory {
  readonly #options: CallMemoryOptions;
  readonly #byStream = new WeakMap<ServerHttp2Stream, MemoryShare>();
  readonly #byMetadata = new WeakMap<Metadata, MemoryShare>();

  constructor(options: CallMemoryOptions) {
    this.#options = options;
  }

  /** Counts all that comes on a connection. */
  watch(session: ServerHttp2Session): void {
    // Ahead of the library, so that nothing comes uncounted.
    session.prependListener('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) =>
      this.#open(stream, headers),
    );
  }

  /** What a call holds, by the metadata that it came with. */
  shareOf(metadata: Metadata): MemoryShare {
    return this.#byMetadata.get(metadata) ?? this.#options.budget.open();
  }

  readonly interceptor: ServerInterceptor = (method, call) => {
    try {
      this.#count(method, callInternals(call));
      // It has all that the library asks of what stands in its place.
      return call as ServerInterceptingCall;
    } catch (different) {
      this.#options.onInternalError('grpc', different);
      return refusing(call, different);
    }
  };

  #count(method: ServerMethodDefinition<unknown, unknown>, inside: CallInternals): void {
    const share = this.#byStream.get(inside.stream);
    if (share === undefined) throw new Error('expected a call on a watched connection');
    this.#byMetadata.set(inside.metadata, share);
    this.#countReceived(method, inside, share);
    countSent(method, inside, share);
  }

  #open(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const share = this.#options.budget.open();
    this.#byStream.set(stream, share);
    stream.once('close', share.release);
    const isTaken = (bytes: number): boolean => {
      try {
        share.take(bytes);
        return true;
      } catch (full) {
        this.#refuse(stream, full);
        return false;
      }
    };
    if (!isTaken(CALL_BYTES + bytesOfHeaders(headers))) return;
    onArriving(stream, (piece) => isTaken(piece.length) && this.#detached(piece));
  }

  /**
   * Frames of all calls that came in one read share its memory, which stays while any of them does: a few bytes of a call that does
   * not end would hold 64 KiB, uncounted. Large parts are copied only where memory is short, since most calls end soon.
   */
  #detached(piece: Buffer): Buffer {
    const { usedBytes, bytesMax } = this.#options.budget;
    const parts = piece.buffer.byteLength / piece.length;
    const isShort = usedBytes > bytesMax / SHORT_PARTS;
    return parts >= SMALL_PARTS || (isShort && parts > 1) ? Buffer.from(piece) : piece;
  }

  #refuse(stream: ServerHttp2Stream, full: unknown): void {
    this.#options.onRefused();
    if (stream.destroyed || stream.closed) return;
    if (stream.headersSent) {
      // What clients of gRPC show as RESOURCE_EXHAUSTED; the status itself may be on its way already.
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    stream.respond(trailersOnly(full), { endStream: true });
    stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #countReceived(
    { path, requestStream }: ServerMethodDefinition<unknown, unknown>,
    inside: CallInternals,
    share: MemoryShare,
  ): void {
    const original = inside.decompressMessage.bind(inside);
    const { messageBytesMax, givesBack } = this.#options;
    const isDone = requestStream && !givesBack(path);
    const delivered = (message: Buffer): Buffer => {
      if (isDone) share.give(message.length);
      return message;
    };
    inside.decompressMessage = (message, name) => {
      const encoding = encodingNamed(name);
      if (encoding === undefined && name !== 'identity') return original(message, name);
      const content = message.subarray(PREFIX_BYTES);
      if (encoding === undefined) {
        share.give(PREFIX_BYTES);
        return delivered(content);
      }
      return inflate(content, { encoding, bytesMax: messageBytesMax, share }).then(
        (inflated) => {
          share.give(message.length);
          return delivered(inflated);
        },
        (thrown: unknown) => {
          const { code } = ServeError.from(thrown);
          if (code === 'memory_full') this.#options.onRefused();
          return Promise.reject({ ...statusOf(thrown), ...INFLATE_STATUS[code] });
        },
      );
    };
  }
}

function bytesOfHeaders(headers: IncomingHttpHeaders): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    const values = Array.isArray(value) ? value : [value ?? ''];
    for (const each of values) bytes += HEADER_BYTES + name.length + each.length;
  }
  return bytes;
}

function countSent(
  { responseSerialize }: ServerMethodDefinition<unknown, unknown>,
  inside: CallInternals,
  share: MemoryShare,
): void {
  const original = inside.sendMessage.bind(inside);
  inside.sendMessage = (message, callback) => {
    const bytes = PREFIX_BYTES + bytesOf(message, responseSerialize);
    try {
      share.take(bytes);
    } catch (full) {
      inside.sendStatus(statusOf(full));
      return;
    }
    original(message, () => {
      share.give(bytes);
      callback();
    });
  };
}

/** Messages are bytes, or know how many they will be; only the small ones of reflection are written twice. */
function bytesOf(message: unknown, serialize: (message: unknown) => Buffer): number {
  const { byteLength } = message as { readonly byteLength?: unknown };
  return typeof byteLength === 'number' ? byteLength : serialize(message).byteLength;
}

function trailersOnly(full: unknown): OutgoingHttpHeaders {
  const { code, details, metadata } = statusOf(full);
  return {
    ':status': constants.HTTP_STATUS_OK,
    'content-type': 'application/grpc+proto',
    'grpc-status': code,
    'grpc-message': encodeURI(details),
    ...metadata.toHttp2Headers(),
  };
}
