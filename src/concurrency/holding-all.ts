import { deferred } from './deferred.ts';

/** Does the work once what was asked for before has ended. */
export type Turn = (work: () => Promise<void>) => Promise<void>;

/**
 * Runs work while it holds several turns, taken in the order given: all that do this must agree on the order. Rejects with what
 * `late` makes where they are not all free within `waitMsMax`; the work is not begun then.
 */
export async function holdingAll<Result>(
  turns: readonly Turn[],
  { waitMsMax, late }: { readonly waitMsMax: number; readonly late: () => Error },
  work: () => Promise<Result>,
): Promise<Result> {
  const held = deferred<void>();
  const done = deferred<void>();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    done.resolve();
    held.reject(late());
  }, waitMsMax);
  const take = async (at: number): Promise<void> => {
    const turn = turns[at];
    if (isLate) return;
    if (turn !== undefined) return await turn(() => take(at + 1));
    held.resolve();
    await done.promise;
  };
  void take(0);
  try {
    await held.promise;
    clearTimeout(timer);
    return await work();
  } finally {
    done.resolve();
  }
}
