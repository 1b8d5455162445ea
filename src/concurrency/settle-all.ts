/**
 * Waits until all have ended, however they end; then rejects with the first fault, if there was one. `Promise.all` would let
 * go of the rest at the first fault, and their outcome would be lost.
 */
export async function settleAll(work: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) {
    if (result.status === 'rejected') throw result.reason;
  }
}
