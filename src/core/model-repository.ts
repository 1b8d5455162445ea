import type { VersionState } from './version.ts';

/** One version that the repository holds; a model whose folder could not be read has an entry without a version. */
export type RepositoryEntry = {
  readonly model: string;
  readonly version: string | undefined;
  readonly state: VersionState;
};

/** What a caller who loads a model brings along. */
export type LoadRequest = {
  /**
   * A model configuration to use in place of the one in the repository: JSON text in the form that `config.pbtxt` has as a
   * message. Undefined: the repository's.
   */
  readonly config: string | undefined;
  /**
   * A package of its own in place of the repository's files: paths relative to the model's folder, such as `1/model.onnx`, and
   * what they hold. Empty: the repository's.
   */
  readonly files: ReadonlyMap<string, Uint8Array>;
};

/** Models as callers may list, load and unload them. */
export type ModelRepository = {
  /** Every version of every model that the repository holds, by model, then by version. */
  readonly index: () => Promise<readonly RepositoryEntry[]>;
  /**
   * Reloads a model's folder and makes it ready; what is being served stays so until then. Rejects with ServeError
   * `not_allowed` where the configuration has control over models off, `load_failed` where it cannot be served,
   * `conflict` where a rollout stands in the way.
   */
  readonly load: (model: string, request: LoadRequest) => Promise<void>;
  /**
   * Takes a model out of service and resolves once no traffic is routed to it any more. Rejects with ServeError `not_allowed`,
   * `model_not_found`, or `conflict` where a rollout stands in the way.
   */
  readonly unload: (model: string) => Promise<void>;
};
