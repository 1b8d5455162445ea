import type { RequestContext } from '../core/infer.ts';
import type { ModelEdits } from '../core/model-edits.ts';
import type { ProviderReport } from '../core/provider.ts';
import type { Reshape } from '../core/reshape.ts';
import type { Signature, Tensor } from '../core/tensor.ts';
import type { WarmupSample } from '../core/warmup.ts';

/** What to load, and how. Plain data: it crosses process and thread borders. */
export type Source = {
  readonly model: string;
  readonly version: string;
  /** Absolute path of the model file; for the fake runtime, its behaviour. */
  readonly file: string;
  readonly runtime: 'onnx' | 'fake';
  /** Execution providers in order of preference. */
  readonly providers: readonly string[];
  /** Fail where the first provider cannot be had, instead of falling back. */
  readonly strict: boolean;
  /** Threads that one run may use. */
  readonly intraOpThreads: number;
  /** What every replica must have answered before it is ready. Absent: zeros are enough, answered or not. */
  readonly warmups?: readonly WarmupSample[] | undefined;
  /** How the file's bytes are changed before the runtime reads them. Absent: they are not. */
  readonly edits?: ModelEdits | undefined;
  /** Tensors that callers see in other shapes than the model's own. Absent: none. */
  readonly reshapes?: readonly Reshape[] | undefined;
};

export type OpenModel = {
  readonly signature: Signature;
  /** Runs that may overlap. */
  readonly concurrency: number;
  readonly provider: ProviderReport;
  /**
   * Inputs in any order, and without those that are optional if they are not given; outputs in the order of the signature.
   * `requests` are those that it runs for, in the order of their rows; absent or none: no caller waits. Rejects with an Error
   * that says what the model refused.
   */
  readonly run: (
    inputs: readonly Tensor[],
    requests?: readonly RequestContext[],
  ) => Promise<readonly Tensor[]>;
  /** Must not be called while a run is in flight. */
  readonly close: () => Promise<void>;
};

/** Turns a source into something that runs tensors. */
export type Runtime = { readonly open: (source: Source) => Promise<OpenModel> };
