import { joiningText } from '../core/joining.ts';
import { providerText } from '../core/provider.ts';
import type { RepositoryVersion } from '../core/repository-version.ts';
import type { Route } from '../core/route.ts';
import { requiredInputs, type TensorSpec } from '../core/tensor.ts';
import { compareVersions } from '../core/version.ts';
import { versionNotFound } from './choose-version.ts';
import { resolveVersion } from './version-names.ts';

/** A model's metadata, as the protocols answer it. */
export type ModelMetadata = {
  readonly name: string;
  /** The version asked for; without one all that are ready. */
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** `batch`: whether requests share runs, and on what ground. `provider`: what runs it, and why not what was asked for. */
  readonly properties: Readonly<Record<string, string>>;
};

/** Whether requests are answered; where not, why. */
export type Readiness = { readonly ready: boolean; readonly reason: string | undefined };

/**
 * What is known of a model, or of one version of it.
 * @throws ServeError `version_not_found` where a version is named that the model does not have.
 */
export function describeModel(
  route: Route,
  version: string | undefined,
  versions: readonly RepositoryVersion[],
): ModelMetadata {
  const chosen = chosenVersion(route, version, versions);
  const ready = versions.filter((each) => each.state.kind === 'ready').map((each) => each.version);
  return {
    name: route.model,
    versions: version === undefined ? ready.sort(compareVersions) : [chosen.version],
    platform: chosen.platform,
    inputs: requiredInputs(chosen.signature),
    outputs: chosen.signature.outputs,
    properties: {
      ...(chosen.joining && { batch: joiningText(chosen.joining) }),
      ...(chosen.provider && { provider: providerText(chosen.provider) }),
    },
  };
}

/**
 * Whether a version answers; without one, whether the stable version does.
 * @throws ServeError `version_not_found` where a version is named that the model does not have.
 */
export function readinessOf(
  route: Route,
  version: string | undefined,
  versions: readonly RepositoryVersion[],
): Readiness {
  const chosen = chosenVersion(route, version, versions);
  if (chosen.state.kind === 'ready') return { ready: true, reason: undefined };
  return { ready: false, reason: notReady(route.model, chosen.version, versions) };
}

/** Why a version does not answer, and which do. */
export function notReady(
  model: string,
  version: string,
  versions: readonly RepositoryVersion[],
): string {
  const state = versions.find((each) => each.version === version)?.state;
  const ready = versions.filter((each) => each.state.kind === 'ready');
  const others = ready.map((state) => `'${state.version}'`).join(', ') || 'none';
  return `'${model}' version '${version}' is not at ready state: expected ready, found ${foundState(state)}. Ready versions: ${others}`;
}

function foundState(state: RepositoryVersion['state'] | undefined): string {
  if (state === undefined) return 'not in the repository';
  if (state.kind === 'failed') return `failed (${state.reason})`;
  return state.kind === 'ready' ? 'not loaded for live requests' : state.kind;
}

/**
 * One version, by name or alias; without one the stable version.
 * @throws ServeError `version_not_found` where the model has no such version.
 */
export function chosenVersion(
  route: Route,
  name: string | undefined,
  versions: readonly RepositoryVersion[],
): RepositoryVersion {
  const version = resolveVersion(route, name ?? route.stable, versions);
  const found = versions.find((each) => each.version === version);
  if (found === undefined) throw versionNotFound(route, name ?? route.stable, versions);
  return found;
}
