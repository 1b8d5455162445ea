/** What bounds a load. */
export type LoadBounds = {
  /** Max time of a load (ms); beyond, it has failed. TorchServe's startupTimeout. */
  readonly loadMsMax: number;
  /** Aborted where what is loaded is no longer wanted. */
  readonly signal?: AbortSignal | undefined;
};

/** A load took too long, or is no longer wanted: what does it may be ended by force. */
export class LoadAbandonedError extends Error {}

/** As the work ends; rejects with LoadAbandonedError where it takes too long or is given up; the work itself keeps running. */
export async function boundedLoad<T>(
  work: Promise<T>,
  { loadMsMax, signal }: LoadBounds,
): Promise<T> {
  let release = (): void => undefined;
  const abandoned = new Promise<never>((_, reject) => {
    const tooLong = `loading took longer than ${loadMsMax} ms (execution.loadMax)`;
    const timer = setTimeout(() => reject(new LoadAbandonedError(tooLong)), loadMsMax);
    const giveUp = (): void => reject(new LoadAbandonedError('its load was given up'));
    if (signal?.aborted) giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    release = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    };
  });
  return await Promise.race([work, abandoned]).finally(release);
}
