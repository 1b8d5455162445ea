import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { HandClock, SteadyClock } from '../../src/core/clock.ts';
import type { LogEntry } from '../../src/core/log.ts';
import { openLedger, readSoon } from '../../src/ledger/open.ts';

const folder = await mkdtemp(join(tmpdir(), 'understudy-open-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));

t.test(
  'a clock that is behind the last record continues from it, and the log says so',
  async (t) => {
    const log: LogEntry[] = [];
    const late = new HandClock();
    late.advance(60_000);
    for (const clock of [late, new HandClock()]) {
      const ledger = openLedger(folder, new SteadyClock(clock), (entry) => log.push(entry));
      for await (const _ of ledger.read());
      if (clock === late) {
        const change = { kind: 'abort', model: 'm', reason: 'a test' } as const;
        await ledger.append(
          { kind: 'command', command: change, refused: undefined },
          ledger.head(),
        );
      }
      await ledger.close();
    }
    t.match(log, [
      { level: 'warn', message: /^ledger: clock of this machine is 60 s behind the last record/ },
    ]);
  },
);

t.test('a folder that cannot hold a ledger is named where it is read', async (t) => {
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  const ledger = openLedger(file, new SteadyClock(new HandClock()), () => undefined);
  const reading = (async () => {
    for await (const _ of ledger.read());
  })();
  await t.rejects(readSoon(reading, { folder: file, log: () => undefined }), {
    message: new RegExp(`^ledger: cannot be opened in ${file}: `),
  });
  await ledger.close().catch(() => undefined);
});
