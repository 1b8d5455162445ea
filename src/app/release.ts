/** What to do, last first, to release everything that was started so far. */
export type Release = (() => Promise<unknown>)[];

/** A step that fails keeps no other from being done; then the first fault is thrown. */
export async function releaseAll(release: Release): Promise<void> {
  const faults: unknown[] = [];
  for (let step = release.pop(); step !== undefined; step = release.pop()) {
    try {
      await step();
    } catch (error) {
      faults.push(error);
    }
  }
  if (faults.length > 0) throw faults[0];
}
