import { messageOf, ServeError } from '../core/errors.ts';
import type { RefusedModel, RepositoryVersion, StartingModel } from '../core/repository-version.ts';
import type { Route } from '../core/route.ts';
import type { Readiness } from './describe-model.ts';

/**
 * When the server as a whole is ready. In both, no model starts any more. `routed`: every model whose stable version can be
 * served is ready, and one at least where there are any. `strict`: the stable version of every model is ready, and no model of the repository is refused.
 */
export type ReadinessRule = 'routed' | 'strict';

/** What the rule asks about. */
export type ReadinessQuestion = {
  readonly rule: ReadinessRule;
  readonly routes: readonly Route[];
  readonly refused: readonly RefusedModel[];
  readonly starting: readonly StartingModel[];
  readonly versions: (model: string) => readonly RepositoryVersion[];
  /** Whether the stable version of a route answers. May throw where the model has no such version. */
  readonly stable: (route: Route) => Readiness;
};

/** One rule for packages that cannot be read, versions that cannot be loaded, and versions that have failed since. */
export function readinessOfServer(question: ReadinessQuestion): Readiness {
  const { rule, routes, refused, starting } = question;
  const [first] = starting;
  if (first !== undefined) return { ready: false, reason: startingText(first) };
  const [broken] = refused;
  if (rule === 'strict' && broken !== undefined)
    return { ready: false, reason: whyRefused(broken) };
  let lost: Readiness | undefined;
  let isAnyReady = false;
  for (const route of routes) {
    const readiness = stableOf(question, route);
    if (readiness.ready) isAnyReady = true;
    else if (rule === 'strict' || canBeServed(question, route)) return readiness;
    else lost ??= readiness;
  }
  return lost === undefined || isAnyReady ? READY : lost;
}

/** A request for a refused model. The model is known, so the status is not 404; a retry helps once the package is fixed. */
export function refusalOfModel(refused: RefusedModel): ServeError {
  return new ServeError('version_not_ready', whyRefused(refused));
}

/** When to ask again for a model that starts: most are loaded within seconds. */
const STARTING_RETRY_MS = 1_000;

/** A request for a model that starts: it will be answered once that is done. */
export function refusalOfStart(starting: StartingModel): ServeError {
  const retry = { retryAfterMs: STARTING_RETRY_MS };
  return new ServeError('version_not_ready', startingText(starting), retry);
}

const READY: Readiness = { ready: true, reason: undefined };

function whyRefused({ model, reason }: RefusedModel): string {
  return `'${model}' cannot be served: ${reason}`;
}

function startingText({ model, why }: StartingModel): string {
  return `'${model}' is starting: ${why}`;
}

function stableOf({ stable }: ReadinessQuestion, route: Route): Readiness {
  try {
    return stable(route);
  } catch (thrown) {
    return { ready: false, reason: messageOf(thrown) };
  }
}

/** What has failed, or is gone from the repository, comes back only after an operator acts. */
function canBeServed({ versions }: ReadinessQuestion, { model, stable }: Route): boolean {
  const found = versions(model).find(({ version }) => version === stable);
  return found !== undefined && found.state.kind !== 'failed';
}
