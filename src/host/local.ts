import { Batcher } from '../batching/batcher.ts';
import type { Clock } from '../core/clock.ts';
import { isBatchable } from '../core/tensor.ts';
import { openEngine } from '../engine/engine.ts';
import type { Desk, DeskListeners, DeskSetting } from './desk.ts';

/** Opens a desk in this process: batching in front of worker threads. Rejects with why a source could not be loaded. */
export async function openLocalDesk(
  setting: DeskSetting,
  listeners: DeskListeners,
  clock: Clock,
): Promise<Desk> {
  const { sources, replicas, runMsMax, batch, queue, firstBatchId } = setting;
  const { onStuck, onInternalError, onBatch } = listeners;
  const onFree = (): void => batcher?.wake();
  let batcher: Batcher | undefined;
  const engine = await openEngine({
    sources,
    replicas,
    clock,
    runMsMax,
    onFree,
    onStuck,
    onInternalError,
  });
  const open = new Batcher({
    clock,
    batchable: batch.rowsMax > 1 && engine.models.every(({ signature }) => isBatchable(signature)),
    rowsMax: batch.rowsMax,
    delayMs: batch.delayMs,
    queue,
    firstBatchId,
    free: engine.free,
    ahead: engine.ahead,
    run: engine.run,
    onBatch,
  });
  batcher = open;
  return {
    models: engine.models,
    submit: (work, settle) => {
      const entry = open.submit(work, settle);
      return () => open.cancel(entry);
    },
    close: async () => {
      await open.close();
      await engine.close();
    },
  };
}
