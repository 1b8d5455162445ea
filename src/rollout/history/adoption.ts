import type { Adoption } from '../../core/adoption.ts';
import { type Refusal, refused } from '../../core/refusal.ts';
import { anchorBeside, type Rollout } from '../../core/rollout.ts';
import { type Route, versionsLedTo } from '../../core/route.ts';
import { canonicalJson } from '../../ledger/canonical-json.ts';
import type { ModelHistory } from './history.ts';

/** A trial judges two packages, and one beside them: while it runs, none may change under it. Undefined: the trial allows the change. */
export function refusalOfAdoption(
  { id, spec, phase }: Rollout,
  { changed }: Pick<Adoption, 'changed'>,
): Refusal | undefined {
  const versions = [spec.stable, spec.candidate, anchorBeside(spec)?.version];
  const touched = versions.find((version) => version !== undefined && changed.has(version));
  if (touched === undefined) return undefined;
  return refused(
    'rollout_running',
    `rollout ${id} is running and version ${touched} is part of it: promote or ${phase.kind === 'holdback' ? 'undo' : 'abort'} it first`,
  );
}

/** The route that a load leads to, and whether it was chosen because there was none and must be recorded; or why there is none. */
export type RouteFound =
  | { readonly kind: 'found'; readonly route: Route; readonly isChoice: boolean }
  | Refusal;

export type RouteQuestion = Pick<Adoption, 'configured' | 'basis'> & {
  /** Undefined: the record is taken at its word, as versions that are gone may come back. */
  readonly versions: ReadonlySet<string> | undefined;
  readonly isBrought: boolean;
  /** Whether traffic is routed to the model at present. */
  readonly isServed: boolean;
};

/**
 * The route on record, with rules and aliases as configured, else the configured one. Where a version of the record is gone,
 * live traffic is not moved to one that was not chosen; where there is no live traffic, or for a package that a caller brought
 * along, the configured route counts.
 */
export function findRoute(question: RouteQuestion, history: ModelHistory): RouteFound {
  const { configured, basis, versions, isBrought, isServed } = question;
  const { model, rules, aliases } = configured;
  // Somebody has asked to follow the newest version since this one was chosen.
  const recorded = basis === 'newest' && history.isChoice ? undefined : history.route;
  const gone = recorded && versionsLedTo(recorded).find((each) => versions?.has(each) === false);
  if (gone !== undefined && isServed && !isBrought) {
    return refused(
      'unknown_version',
      `the route of ${model} leads to version ${gone}, which is not in the repository any more: put it back, or set the route to another version first`,
    );
  }
  if (recorded !== undefined && gone === undefined)
    return { kind: 'found', route: { ...recorded, rules, aliases }, isChoice: false };
  const isChoice = !isBrought && (gone !== undefined || basis === 'nothing');
  const revision = Math.max(configured.revision, (recorded?.revision ?? -1) + 1);
  return { kind: 'found', route: { ...configured, revision }, isChoice };
}

/** A route that is not the present one has a revision of its own: a change has to name the revision that it read. */
export function following(route: Route, present: Route): Route {
  const isSame =
    canonicalJson({ ...route, revision: 0 }) === canonicalJson({ ...present, revision: 0 });
  if (isSame) return present;
  return { ...route, revision: Math.max(route.revision, present.revision) + 1 };
}
