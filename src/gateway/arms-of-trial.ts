import type { Arm, Assignment, Route, Share } from '../core/route.ts';

/** The share that a request of a trial would have gone to in the other arm; undefined: it was drawn between no two. */
export function otherShare(
  route: Route | undefined,
  { side }: Pick<Assignment, 'side'>,
): Share | undefined {
  if (side === undefined) return undefined;
  if (side === 'reference') return shareOf(route, 'candidate');
  return shareOf(route, 'control') ?? shareOf(route, 'stable');
}

/**
 * The share of the version that was stable before a promotion, while a holdback compares the two: the answers of both are held
 * to the form of its. Undefined: control is of the stable version, or there is none.
 */
export function formerShare(route: Route | undefined): Share | undefined {
  const control = shareOf(route, 'control');
  return control?.version === route?.stable ? undefined : control;
}

function shareOf(route: Route | undefined, name: Arm): Share | undefined {
  return route?.shares.find(({ arm }) => arm === name);
}
