/** What one gRPC connection, call or message may cost before its content is checked. */
export type GrpcLimits = {
  /** Max bytes of one request message. Beyond: RESOURCE_EXHAUSTED. GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH. */
  readonly messageBytesMax: number;
  /** Max bytes of a call's metadata, with 32 more for each entry, as HTTP/2 counts. Beyond: the call is reset. GRPC_ARG_MAX_METADATA_SIZE. */
  readonly headerBytesMax: number;
  /** Max inputs, and outputs, of one request. Beyond: `too_large`. */
  readonly tensorsMax: number;
  /** Max open connections. Beyond, the one that has been idle longest is closed. nginx's worker_connections. */
  readonly connectionsMax: number;
  /** Max open calls of one connection; further ones wait at the client. GRPC_ARG_MAX_CONCURRENT_STREAMS. */
  readonly callsMax: number;
  /** Max requests of one stream in flight; further ones are not read yet. */
  readonly streamRequestsMax: number;
  /** Max time until a unary request has arrived, and without progress in sending an answer; then the call is reset. nginx's send_timeout. */
  readonly stallMsMax: number;
  /** Max time that a stopping server waits for calls in progress. nginx's worker_shutdown_timeout. */
  readonly lingerMsMax: number;
};
