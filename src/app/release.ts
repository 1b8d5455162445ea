/** Releases one thing. `what` names it where it takes too long. */
export type ReleaseStep = (() => Promise<unknown>) & { readonly what?: string };

/** What to do, last first, to release everything that was started so far. */
export type Release = ReleaseStep[];

/** A step with a name. */
export function releasing(what: string, step: () => Promise<unknown>): ReleaseStep {
  return Object.assign(step, { what });
}

/**
 * A step that fails keeps no other from being done; then the first fault is thrown. `onStep` hears the name of each step
 * before it is done.
 */
export async function releaseAll(
  release: Release,
  onStep: (what: string) => void = () => undefined,
): Promise<void> {
  const faults: unknown[] = [];
  for (let step = release.pop(); step !== undefined; step = release.pop()) {
    onStep(step.what ?? 'a part without a name');
    try {
      const done: Promise<unknown> = step();
      await done;
    } catch (error) {
      faults.push(error);
    }
  }
  if (faults.length > 0) throw faults[0];
}
