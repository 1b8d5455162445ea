import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import t from 'tap';

import { aConversation } from './builders.ts';

const CONNECTIONS = 700;
const DEADLINE_MS = 10_000;

/** Connections that the system lets wait at one port; 0 where that is not known. */
function systemBacklog(): number {
  try {
    return Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
  } catch {
    return 0;
  }
}

t.test(
  'clients that connect all at once, while the thread is busy, all get through',
  { skip: systemBacklog() < CONNECTIONS ? 'the system lets fewer wait' : false },
  async (t) => {
    const { port } = await aConversation(t);
    const connected = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(join(import.meta.dirname, '..', 'rest', 'connect-all.js'), {
      workerData: { port, connections: CONNECTIONS, connected },
    });
    await new Promise((resolve) => worker.once('online', resolve));
    const endsMs = performance.now() + DEADLINE_MS;
    // From here on this thread accepts nothing.
    let count = 0;
    while (count < CONNECTIONS && performance.now() < endsMs) {
      Atomics.wait(connected, 0, count, 100);
      count = Atomics.load(connected, 0);
    }
    t.equal(count, CONNECTIONS);
    await worker.terminate();
  },
);
