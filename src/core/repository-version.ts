import type { Declared } from './declared.ts';
import type { Joining } from './joining.ts';
import type { ProviderReport } from './provider.ts';
import type { Reshape } from './reshape.ts';
import type { Signature } from './tensor.ts';
import type { VersionPolicy, VersionState } from './version.ts';

/** One version that the repository holds, loaded or not. */
export type RepositoryVersion = {
  readonly version: string;
  readonly state: VersionState;
  /** Whether requests share runs; undefined while no live host runs the version. */
  readonly joining: Joining | undefined;
  /** What it runs on; undefined while no live host runs the version. */
  readonly provider: ProviderReport | undefined;
  readonly signature: Signature;
  /** What runs it, as the protocol's metadata names it: `onnxruntime_onnx`. */
  readonly platform: string;
  /** The names of the classes that an output scores, by output; in the order of its last dimension. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
  readonly facts: ServingFacts;
};

/** How a version is run, for those who ask for a model's configuration. */
export type ServingFacts = {
  /** Rows that may share a run; 0: no two requests ever do. */
  readonly rowsMax: number;
  readonly delayMs: number;
  readonly queueRequestsMax: number;
  readonly deadlineMs: number;
  /** 0: requests have no priorities. */
  readonly priorityLevels: number;
  /** The level of requests that name none; 0 where there are no levels. */
  readonly defaultPriority: number;
  readonly replicas: number;
  readonly device: 'cpu' | 'gpu';
  readonly versionPolicy: VersionPolicy;
  /** The model's file within the version's folder. */
  readonly modelFile: string;
  /** The tensors that the model has in other shapes than callers see. */
  readonly reshapes: readonly Reshape[];
  readonly declared: Declared;
};

/** A model of the repository of which no version can be read, so that no route leads to it, and why. */
export type RefusedModel = { readonly model: string; readonly reason: string };

/** A model that has not been taken up since the process began, and what it waits for. */
export type StartingModel = { readonly model: string; readonly why: string };
