import type { Arm } from '../core/route.ts';
import type { ModelVersion } from '../core/version.ts';
import type { ProcessRole } from '../host/birth.ts';
import type { CatalogEntry } from './catalog-entry.ts';

/**
 * A version at work in a role. `main` serves what the split, rules and pins send to a version; `candidate` and `control` are
 * copies of their own, so that the two arms of a trial are alike in everything but the model.
 */
export type Deployment = {
  readonly target: ModelVersion;
  readonly role: DeploymentRole;
  /** Names the package and the settings that are run. In one role, two builds may be loaded while one takes over from the other. */
  readonly build: string;
  /** What was read of the model, from which the build is made; undefined: the repository does not know the model. */
  readonly entry: CatalogEntry | undefined;
};

export type DeploymentRole = 'main' | 'candidate' | 'control';

/** Where memory runs out, the highest is killed first. What answers for an arm of a trial can be lost: stable answers for it. */
const OOM_SCORE_ADJ = { main: 0, candidate: 600, control: 600 } as const satisfies Record<
  DeploymentRole,
  number
>;

const ROLE_LENGTH_MAX = Math.max(...Object.keys(OOM_SCORE_ADJ).map((role) => role.length));

/** What the system is to know of the process of a deployment. There is room in its label for any other role. */
export function processRoleOf({ target, role }: Pick<Deployment, 'target' | 'role'>): ProcessRole {
  const { model, version } = target;
  const label = `${model}/${version} ${role.padEnd(ROLE_LENGTH_MAX)}`;
  return { label, oomScoreAdj: OOM_SCORE_ADJ[role] };
}

/** The role that answers for an arm. */
export function roleOf(arm: Arm): DeploymentRole {
  return arm === 'candidate' || arm === 'control' ? arm : 'main';
}

export function deploymentKey({ target, role, build }: Deployment): string {
  return `${servingKey(target, role)}/${build}`;
}

/** What requests are sent to: whichever build serves there. */
export function servingKey({ model, version }: ModelVersion, role: DeploymentRole): string {
  return `${model}/${version}/${role}`;
}

/** What must happen so that all wanted deployments are there: changes of role first, since they cost nothing. */
export type DeploymentPlan = {
  /** A version that is at work in a role where it is not wanted takes another with the same build, and is not loaded twice. */
  readonly moves: readonly { readonly from: Deployment; readonly to: Deployment }[];
  readonly loads: readonly Deployment[];
  /** Not wanted. Close them only after the route no longer leads to them. */
  readonly drops: readonly Deployment[];
};

/** Compares what is wanted with what is there. Pure: `LiveHosts` carries the plan out. */
export function planDeployments(
  wanted: readonly Deployment[],
  present: readonly Deployment[],
): DeploymentPlan {
  const wantedKeys = new Set(wanted.map(deploymentKey));
  const presentKeys = new Set(present.map(deploymentKey));
  const spare = present.filter((each) => !wantedKeys.has(deploymentKey(each)));
  const moves: { from: Deployment; to: Deployment }[] = [];
  const loads: Deployment[] = [];
  for (const each of wanted) {
    if (presentKeys.has(deploymentKey(each))) continue;
    const at = spare.findIndex((other) => sameBuild(other, each));
    const [from] = at < 0 ? [] : spare.splice(at, 1);
    if (from) moves.push({ from, to: each });
    else loads.push(each);
  }
  return { moves, loads, drops: spare };
}

function sameBuild(a: Deployment, b: Deployment): boolean {
  const [mine, theirs] = [a.target, b.target];
  return mine.model === theirs.model && mine.version === theirs.version && a.build === b.build;
}
