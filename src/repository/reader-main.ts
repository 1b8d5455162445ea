import { messageOf } from '../core/errors.ts';
import { foldersIn } from './folders.ts';
import type { FromReader, ReaderOrder, ReadOrder } from './reader-message.ts';
import { bytesRead, newProgress } from './reading-progress.ts';
import { scanModel } from './scan.ts';

/** The entry of a reader's process. */

/** Between two reports of how far it has come. */
const REPORT_MS = 500;

// A terminal's interrupt reaches the whole group. The gateway decides when this process ends.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const)
  process.on(signal, () => undefined);
// The gateway is gone. A thread that hangs in a file would keep this process for ever.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', (order: ReaderOrder) => void answer(order));

async function answer(order: ReaderOrder): Promise<void> {
  try {
    if (order.kind === 'model') await read(order);
    else send({ kind: 'folders', folders: await foldersIn(order.directory) });
  } catch (error) {
    send({ kind: 'fault', message: messageOf(error) });
  }
}

async function read({ root, model, named, known = [], config }: ReadOrder): Promise<void> {
  const progress = newProgress();
  const report = setInterval(() => {
    send({ kind: 'progress', read: bytesRead(progress) });
  }, REPORT_MS);
  try {
    const scan = await scanModel(root, model, {
      ...{ named: () => named, progress, config },
      known: ({ version }) => known.find((each) => each.version === version),
    });
    send({ kind: 'scan', scan });
  } finally {
    clearInterval(report);
  }
}

function send(message: FromReader): void {
  process.send?.(message, undefined, undefined, () => undefined);
}
