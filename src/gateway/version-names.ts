import type { Declared } from '../core/declared.ts';
import type { Joining } from '../core/joining.ts';
import type { Reshape } from '../core/reshape.ts';
import type { Route } from '../core/route.ts';
import type { Signature } from '../core/tensor.ts';
import { type Life, newestOf, type VersionPolicy } from '../core/version.ts';

/** One version that the repository holds, loaded or not. */
export type ModelVersionState = {
  readonly version: string;
  readonly life: Life;
  /** Whether requests share runs; undefined while no live host runs the version. */
  readonly joining: Joining | undefined;
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

/**
 * The version that a name means: a version of exactly that name, else `stable`, `candidate` (on trial, or mirrored) or
 * `latest` (the greatest number that is ready, else the greatest), else one of the route's own aliases. Undefined: none.
 */
export function resolveVersion(
  route: Route,
  name: string,
  versions: readonly ModelVersionState[],
): string | undefined {
  if (versions.some((state) => state.version === name)) return name;
  switch (name) {
    case 'stable':
      return route.stable;
    case 'candidate':
      return candidateOf(route);
    case 'latest':
      return latestOf(versions);
    default:
      return Object.hasOwn(route.aliases, name) ? route.aliases[name] : undefined;
  }
}

function candidateOf(route: Route): string | undefined {
  const share = route.shares.find((each) => each.arm === 'candidate');
  return share?.version ?? route.mirror?.version;
}

function latestOf(versions: readonly ModelVersionState[]): string | undefined {
  const ready = versions.filter((state) => state.life.kind === 'ready');
  const numbers = (states: readonly ModelVersionState[]) =>
    newestOf(states.map((state) => state.version));
  return numbers(ready) ?? numbers(versions);
}
