import { constants, type IncomingHttpHeaders } from 'node:http2';
import { GRPC_STATUS_NAMES } from '../../core/grpc-status-names.ts';

/** The names of HTTP/2's error codes by their numbers: RFC 9113, section 7. */
const RESET_NAMES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

/** How a call ended, as its server says. */
export type GrpcStatus = {
  /** Its name, `UNAVAILABLE`; an answer that is none of gRPC is `HTTP 404`. */
  readonly name: string;
  /** The server's words; empty: none. */
  readonly details: string;
};

const OK: GrpcStatus = { name: 'OK', details: '' };

/** The status in the headers or the trailers of a call; undefined: they hold none, and it may still come. */
export function statusIn(headers: IncomingHttpHeaders): GrpcStatus | undefined {
  const code = headers['grpc-status'];
  if (code === '0') return OK;
  if (code !== undefined) {
    const name = GRPC_STATUS_NAMES[Number(code)] ?? `status ${String(code)}`;
    return { name, details: detailsOf(String(headers['grpc-message'] ?? '')) };
  }
  const http = headers[constants.HTTP2_HEADER_STATUS];
  if (http === undefined || Number(http) === constants.HTTP_STATUS_OK) return undefined;
  return { name: `HTTP ${http}`, details: '' };
}

/** The kind of error of a call that its server reset. */
export function resetName(code: number): string {
  return `reset: ${RESET_NAMES[code] ?? code}`;
}

/** They come percent-encoded; a server that does not do so is still heard. */
function detailsOf(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
