/** One closed loop of unary calls over one connection, all with the same message. */
export type GrpcLoad = {
  readonly port: number;
  /** Of the method, as `/package.Service/Method`. */
  readonly path: string;
  readonly messageBase64: string;
  readonly callsInFlight: number;
  /** Not measured. */
  readonly warmupMs: number;
  readonly durationMs: number;
};

/** Calls that ended with status OK within the measured time; `failure` is the first that ended otherwise, ever. */
export type GrpcReport = {
  readonly ok: number;
  readonly failure: string | undefined;
  readonly perSecond: number;
};

export type GrpcEchoNews = { readonly kind: 'listening'; readonly port: number };
