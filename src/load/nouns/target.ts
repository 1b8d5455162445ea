import type { Signature } from '../../core/tensor.ts';
import type { Address } from './wire.ts';

/** How a target's requests are written. */
export type Protocol = 'rest-json' | 'rest-binary' | 'grpc' | 'grpc-stream';

/** A model on a server of the Open Inference Protocol, and how it is to be asked. */
export type Target = {
  readonly address: Address;
  readonly protocol: Protocol;
  readonly model: string;
  /** undefined: the server chooses. */
  readonly version: string | undefined;
  /** Sent with each request. */
  readonly headers: Readonly<Record<string, string>>;
};

/** What a server says about itself and the model. */
export type TargetFacts = {
  /** Name and version of the server; undefined where it does not say. */
  readonly server: string | undefined;
  readonly platform: string | undefined;
  readonly versions: readonly string[];
  readonly signature: Signature;
};

/** The server's own counts, ever growing; the difference of two is what happened between them. Times in nanoseconds. */
export type ServerCounts = {
  readonly requests: number;
  readonly runs: number;
  readonly queueNs: number;
  readonly computeNs: number;
};

/** Where the server says that the time of a load went, as means over its requests. */
export type ServerSplit = {
  readonly requests: number;
  /** Requests in one run of the model, on average. */
  readonly requestsPerRun: number;
  readonly queueMs: number;
  readonly computeMs: number;
};
