/** What one gRPC connection, call or message may cost before its content is checked. */
export type GrpcLimits = {
  /** Bytes of one request message. Beyond: RESOURCE_EXHAUSTED. */
  readonly messageBytesMax: number;
  /** Bytes of the metadata of one call, with 32 more for each entry, as HTTP/2 counts. Beyond: the call is reset. */
  readonly headerBytesMax: number;
  /** Inputs, and outputs, of one request. Beyond: `too_large`. */
  readonly tensorsMax: number;
  /** Connections that are open at a time. Beyond, the one that has been idle longest is closed. */
  readonly connectionsMax: number;
  /** Calls that one connection may have open at a time; what is beyond waits at the caller. */
  readonly callsMax: number;
  /** Requests of one stream that are in flight at a time; what is beyond is not read yet. */
  readonly streamRequestsMax: number;
  /** How long a unary request may take to arrive in whole, and any answer give nothing out, before the call is cut. */
  readonly stallMsMax: number;
  /** How long a stopping server waits for calls that are in the middle of something. */
  readonly lingerMsMax: number;
};
