import { joiningText } from '../core/joining.ts';
import { providerText } from '../core/provider.ts';
import type { Route } from '../core/route.ts';
import { requiredInputs, type TensorSpec } from '../core/tensor.ts';
import { compareVersions } from '../core/version.ts';
import type { ModelVersionState } from '../core/version-state.ts';
import { versionNotFound } from './choose-version.ts';
import { resolveVersion } from './version-names.ts';

/** What the protocols tell about a model. */
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
  versions: readonly ModelVersionState[],
): ModelMetadata {
  const state = stateOf(route, version, versions);
  const ready = versions.filter((each) => each.life.kind === 'ready').map((each) => each.version);
  return {
    name: route.model,
    versions: version === undefined ? ready.sort(compareVersions) : [state.version],
    platform: state.platform,
    inputs: requiredInputs(state.signature),
    outputs: state.signature.outputs,
    properties: {
      ...(state.joining && { batch: joiningText(state.joining) }),
      ...(state.provider && { provider: providerText(state.provider) }),
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
  versions: readonly ModelVersionState[],
): Readiness {
  const state = stateOf(route, version, versions);
  if (state.life.kind === 'ready') return { ready: true, reason: undefined };
  return { ready: false, reason: notReady(route.model, state.version, versions) };
}

/** Why a version does not answer, and which do. */
export function notReady(
  model: string,
  version: string,
  versions: readonly ModelVersionState[],
): string {
  const life = versions.find((state) => state.version === version)?.life;
  const ready = versions.filter((state) => state.life.kind === 'ready');
  const others = ready.map((state) => `'${state.version}'`).join(', ') || 'none';
  return `'${model}' version '${version}' is not at ready state: expected ready, found ${foundLife(life)}. Ready versions: ${others}`;
}

function foundLife(life: ModelVersionState['life'] | undefined): string {
  if (life === undefined) return 'not in the repository';
  if (life.kind === 'failed') return `failed (${life.reason})`;
  return life.kind === 'ready' ? 'not loaded for live requests' : life.kind;
}

/**
 * One version, by name or alias; without one the stable version.
 * @throws ServeError `version_not_found` where the model has no such version.
 */
export function stateOf(
  route: Route,
  name: string | undefined,
  versions: readonly ModelVersionState[],
): ModelVersionState {
  const version = resolveVersion(route, name ?? route.stable, versions);
  const state = versions.find((each) => each.version === version);
  if (state === undefined) throw versionNotFound(route, name ?? route.stable, versions);
  return state;
}
