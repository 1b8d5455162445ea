import type { Route } from '../core/route.ts';
import type { Signature } from '../core/tensor.ts';
import { compareVersions, type Life } from '../core/version.ts';

/** One version that the repository holds, loaded or not. */
export type ModelVersionState = {
  readonly version: string;
  readonly life: Life;
  readonly signature: Signature;
  /** What runs it, as the protocol's metadata names it: `onnxruntime_onnx`. */
  readonly platform: string;
};

/**
 * The version that a name means: a version of exactly that name, else `stable`, `candidate` (on trial, or mirrored) or
 * `latest` (the greatest that is ready, else the greatest), else one of the route's own aliases. Undefined: none.
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
  const names = (ready.length > 0 ? ready : versions).map((state) => state.version);
  return names.sort(compareVersions).at(-1);
}
