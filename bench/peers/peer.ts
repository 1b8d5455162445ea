import type { BenchedModel } from './benched-models.ts';
import type { Environment } from './environment.ts';

/** How a request to a peer is written: the Open Inference Protocol, or the plain row where a peer has no protocol. */
export type Call =
  | { readonly kind: 'rest-binary'; readonly model: string }
  | { readonly kind: 'rest-json'; readonly model: string }
  | { readonly kind: 'grpc'; readonly model: string }
  /** The row's bytes as the body, and the answer's likewise. */
  | { readonly kind: 'raw'; readonly path: string }
  /** The row as the JSON array `{"x": [row]}`, answered with a JSON array of rows. */
  | { readonly kind: 'json'; readonly path: string };

/** One way to set a peer up that its documentation recommends or offers. Which one is best here is tried, not argued. */
export type Form = { readonly name: string; readonly call: Call };

/** What a server is started with. */
export type Start = {
  readonly form: Form;
  readonly model: BenchedModel;
  /** The server's own folder, for files that it writes. */
  readonly folder: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  /** Undefined where the peer needs none. */
  readonly environment: Environment | undefined;
};

export type Command = {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
};

/** A model server to be measured. */
export type Peer = {
  readonly name: string;
  /** The PyPI package whose version counts, pinned in `requirements/<name>.txt`; undefined: nothing to install. */
  readonly package: string | undefined;
  /** Its settings, in a sentence or two. */
  readonly how: string;
  /** The page of its documentation that the settings follow. */
  readonly source: string;
  /** The first is the one that `--quick` takes. */
  readonly forms: readonly Form[];
  /** Writes what the server reads into its folder, and says how it is started. */
  readonly command: (start: Start) => Promise<Command>;
};

/** Max rows of one run, for peers that can be configured; Understudy's default. */
export const ROWS_MAX = 32;
/** How long a batch waits for more requests, where a peer needs a wait above 0 to batch at all. */
export const WAIT_S = 0.002;
/** What the model is called at every peer that has names for models. */
export const MODEL = 'model';
