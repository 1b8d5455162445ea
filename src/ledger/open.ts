import { within } from '../concurrency/within.ts';
import type { SteadyClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { ageText, durationText } from '../core/text.ts';
import { openFileLedger } from './file.ts';
import { LateLedger } from './late-ledger.ts';
import type { Ledger, LedgerHealth } from './ledger.ts';

/** A machine's clock that is further behind the ledger's last record than this is worth a line in the log. */
const CLOCK_BEHIND_MS = 5_000;

/** How long the ports wait for the ledger, so that one which cannot be used ends the start before they are open. */
const READ_MS = 2_000;

/**
 * Begins to open the ledger. Its clock continues from the last record, so that times of a rollout never go backwards. What it cannot
 * be opened for is thrown where its records are read.
 */
export function openLedger(folder: string, clock: SteadyClock, log: Log): Ledger {
  return new LateLedger(open(folder, clock, log), clock);
}

/**
 * Waits for the ledger to be read, but not for a disk that hangs: then `ledgerRead` resolves once it has been. Rejects as `reading`
 * does.
 */
export async function readSoon(
  reading: Promise<void>,
  { folder, log }: { readonly folder: string; readonly log: Log },
): Promise<{ readonly ledgerRead: Promise<void> | undefined }> {
  if (await within(reading, READ_MS)) return { ledgerRead: undefined };
  const facts = { ledger: folder };
  const message = `ledger: degraded (unread), not read to its end after ${durationText(READ_MS)}; opening the ports, and no model is ready before its route is read from there`;
  log({ level: 'error', message, facts });
  const ledgerRead = reading.then(() =>
    log({ level: 'warn', message: 'ledger: read to its end; continuing the start', facts }),
  );
  return { ledgerRead };
}

async function open(folder: string, clock: SteadyClock, log: Log): Promise<Ledger> {
  const facts = { ledger: folder };
  const ledger = await openFileLedger(folder, {
    clock,
    onRepair: ({ message, file }) => log({ level: 'warn', message, facts: { file } }),
    onHealth: (health) => log({ ...healthEntry(health), facts }),
  }).catch((cause: unknown) => {
    throw new Error(`ledger: cannot be opened in ${folder}: ${messageOf(cause)}`, { cause });
  });
  const behindMs = clock.notBefore(ledger.lastMs());
  if (behindMs > CLOCK_BEHIND_MS) {
    const message = `ledger: clock of this machine is ${ageText(behindMs)} behind the last record; continuing from the time of that record`;
    log({ level: 'warn', message });
  }
  return ledger;
}

function healthEntry(health: LedgerHealth): Parameters<Log>[0] {
  if (health.kind === 'healthy')
    return { level: 'warn', message: 'ledger: healthy, taking records again' };
  const { cause, why } = health;
  return {
    level: 'error',
    message: `ledger: degraded (${cause}: ${why}); serving with the present routes, rollouts stopped, only abort is accepted`,
  };
}
