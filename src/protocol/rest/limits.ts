/** What one HTTP request may cost before its content is checked. */
export type RestLimits = {
  /** Bytes of a request's body. Beyond: `too_large`. */
  readonly bodyBytesMax: number;
  /** Bytes of a request's header, all lines together. Beyond: status 431. */
  readonly headerBytesMax: number;
  /** Connections that are open at a time. Beyond, the one that has been idle longest is closed. */
  readonly connectionsMax: number;
  /** Inputs, and outputs, of one request. Beyond: `too_large`. */
  readonly tensorsMax: number;
  /** Levels of nesting in JSON. Beyond: `invalid_input`. */
  readonly jsonDepthMax: number;
  /** Elements of one input in JSON. Beyond: `too_large`. */
  readonly jsonElementsMax: number;
  /** How long a request may take to arrive in whole. */
  readonly receiveMsMax: number;
  /** How long a caller may take nothing of its answer before the connection is cut. */
  readonly sendMsMax: number;
  /** How long a stopping server waits for connections that are in the middle of something. */
  readonly lingerMsMax: number;
};
