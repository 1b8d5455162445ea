import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** More than Node lets wait at a port by default (511). */
export const CLIENTS = 700;

const DEADLINE_MS = 10_000;

/** Why so many cannot wait at one port of this machine; false: they can. */
export const FEWER_MAY_WAIT = systemBacklog() < CLIENTS && 'the system lets fewer wait';

/** Connections that the system lets wait at one port; 0 where that is not known. */
function systemBacklog(): number {
  try {
    return Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
  } catch {
    return 0;
  }
}

/** How many of `CLIENTS` connect while this thread, which has to accept them, is busy. */
export async function connectedWhileBusy(port: number): Promise<number> {
  const connected = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(join(import.meta.dirname, 'connect-all.js'), {
    workerData: { port, connections: CLIENTS, connected },
  });
  await new Promise((resolve) => worker.once('online', resolve));
  const endsMs = performance.now() + DEADLINE_MS;
  // From here on this thread accepts nothing.
  let count = 0;
  while (count < CLIENTS && performance.now() < endsMs) {
    Atomics.wait(connected, 0, count, 100);
    count = Atomics.load(connected, 0);
  }
  await worker.terminate();
  return count;
}
