import type { InferResponse } from '../../core/infer.ts';
import type { Tensor } from '../../core/tensor.ts';

/** The answer of `/model/metadata`, for the present stable version. */
export type ModelAssetMetadata = {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** What kind of task it does, as text: `Image Classification`. */
  readonly type: string;
  readonly source: string;
  readonly license: string | null;
};

/** One class of an answer. The id is a string, as clients compare it with one. */
export type ModelAssetPrediction = {
  readonly label_id: string;
  readonly label: string;
  readonly probability: number;
};

/** When to give up on an image: aborted, or past this moment on the service's monotonic clock. */
export type Deadline = { readonly signal: AbortSignal; readonly deadlineMs: number };

/** A model that takes images and names their class. All of it throws, or rejects with, ServeErrors. */
export type ServedModelAsset = {
  /** Its name in the repository. */
  readonly name: string;
  readonly metadata: () => ModelAssetMetadata;
  /** The names of the classes, in the order of their ids. */
  readonly labels: () => readonly string[];
  /** An encoded image as the model's inputs. Not done on the calling thread. */
  readonly prepare: (image: Uint8Array, deadline: Deadline) => Promise<readonly Tensor[]>;
  /**
   * Names the classes of an answer, best first: of a request that is sent in the same turn, as the packages are now. Another
   * build of its version, or none, may be there once the answer is.
   */
  readonly explainer: () => (response: InferResponse) => readonly ModelAssetPrediction[];
};
