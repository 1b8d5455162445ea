import t from 'tap';
import { sessionRecords } from '../../src/app/session-records.ts';
import { HandClock } from '../../src/core/clock.ts';

t.test('a caller that signs in again and again fills no ledger, and hides no other', async (t) => {
  const clock = new HandClock();
  const callers: string[] = [];
  const record = sessionRecords({
    clock,
    controller: { note: async ({ caller }) => void callers.push(caller) },
  });
  const address = '10.0.0.1';
  for (let index = 0; index < 1_000; index += 1) record('signedIn', { caller: 'key:a', address });
  t.equal(callers.length, 60);
  record('signedIn', { caller: 'key:b', address });
  t.equal(callers.at(-1), 'key:b');
  clock.advance(10_000);
  record('signedOut', { caller: 'key:a', address });
  t.equal(callers.length, 62);
});
