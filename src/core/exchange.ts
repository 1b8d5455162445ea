/** One request as its wire knows it, for a log of accesses. Nothing of bodies, credentials and query strings. */
export type Exchange = {
  readonly plane: 'http' | 'grpc' | 'admin';
  readonly method: string;
  /** The path without its query; of gRPC the whole name of the method. */
  readonly path: string;
  readonly peer: { readonly address: string | undefined; readonly port: number | undefined };
  readonly userAgent: string | undefined;
  readonly callerId: string | undefined;
  readonly traceparent: string | undefined;
  /** As `content-length` announced it; undefined: it did not. */
  readonly bytesIn: number | undefined;
  /** By the monotonic clock, milliseconds. */
  readonly startedMs: number;
};

/** How it ended. */
export type ExchangeEnd = {
  /** Of HTTP or gRPC; undefined: the caller was gone before. */
  readonly status: number | undefined;
  /** The pattern of the path; undefined: it met none. */
  readonly route: string | undefined;
  readonly model: string | undefined;
  readonly version: string | undefined;
  /** The caller's name; undefined: it was not found out. */
  readonly caller: string | undefined;
  readonly bytesOut: number | undefined;
};

/** What hears of exchanges. Neither function throws or waits. */
export type Exchanges = {
  /** Undefined: this one is not logged. */
  readonly begin: (exchange: Exchange, wire: object) => ((end: ExchangeEnd) => void) | undefined;
  /** An exchange asks for inference: `wire` is what it began with, or a part of it that was joined. */
  readonly named: (wire: object, request: { readonly id: string; readonly model: string }) => void;
  /** From here on `part` stands for the exchange too. */
  readonly joined: (wire: object, part: object) => void;
};
