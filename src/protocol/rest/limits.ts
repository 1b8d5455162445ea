/** What one HTTP request may cost before its content is checked. */
export type RestLimits = {
  /** Max bytes of a request's body. Beyond: `too_large`. nginx's client_max_body_size. */
  readonly bodyBytesMax: number;
  /** Max bytes of a request's header, all lines together. Beyond: status 431. Node's --max-http-header-size. */
  readonly headerBytesMax: number;
  /** Max open connections. Beyond, the one that has been idle longest is closed. nginx's worker_connections. */
  readonly connectionsMax: number;
  /** Max inputs, and outputs, of one request. Beyond: `too_large`. */
  readonly tensorsMax: number;
  /** Max levels of nesting in JSON. Beyond: `invalid_input`. Protobuf's recursion limit for JSON. */
  readonly jsonDepthMax: number;
  /** Max elements of one input in JSON. Beyond: `too_large`. */
  readonly jsonElementsMax: number;
  /** Max time until a request has arrived in whole. Node's server.requestTimeout. */
  readonly receiveMsMax: number;
  /** Max time without progress in sending an answer; then the connection is closed. nginx's send_timeout. */
  readonly sendMsMax: number;
  /** Max time that a stopping server waits for requests in progress. nginx's worker_shutdown_timeout. */
  readonly lingerMsMax: number;
};
