import { systemClock } from '../../src/core/clock.ts';
import { openFileLedger } from '../../src/ledger/file.ts';

/** Appends until it is killed, and says on stdout which record was acknowledged. Ends by itself after 5,000. */
const directory = process.argv[2];
if (directory === undefined) throw new Error('expected a directory');
const ledger = await openFileLedger(directory, { clock: systemClock, segmentBytesMax: 4096 });
for (let i = 0; i < 5000; i += 1) {
  const reason = `${i} ${'x'.repeat(i % 300)}`;
  const command = { kind: 'abort', model: 'm', reason } as const;
  const record = await ledger.append(
    { kind: 'command', command, refused: undefined },
    ledger.head(),
  );
  process.stdout.write(`${record.index}\n`);
}
