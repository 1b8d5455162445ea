import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.ts';
import { spreadOf } from '../blocks.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { type Block, type Comparison, inDigits, processorTimes } from './comparison.ts';
import type { Libraries, Lockfile } from './installed.ts';
import { type LockKind, lockWith } from './lock-kinds.ts';

const TIMES = 200;
const ROUNDS = 3;
/** Twice the shortest time after which proper-lockfile takes a lock for abandoned. */
const STOPPED_MS = 4_000;
const PATIENCE_MS = 30_000;

/** How a lock is taken: both kinds lock the same folder, in turn. */
type Way = { readonly kind: LockKind; readonly folder: string; readonly lockfile: Lockfile };

/** Taking and releasing the lock of a folder, and what happens when its holder dies or stops. */
export async function compareLocks({ lockfile }: Libraries): Promise<readonly Comparison[]> {
  const folder = await temporaryFolder(join(tmpdir(), 'understudy-locks-'));
  const ours: Way = { kind: 'ours', folder: folder.path, lockfile };
  const library: Way = { kind: 'library', folder: folder.path, lockfile };
  try {
    const us = await processorTimes({ ours: cycles(ours), library: cycles(library) }, TIMES);
    const dead = { ours: await afterKill(ours), library: await afterKill(library) };
    const stopped = { ours: await afterStop(ours), library: await afterStop(library) };
    return [
      {
        operation: 'taking and releasing the lock of a folder',
        handWritten: us.ours,
        library: `\`proper-lockfile\` 4.1: ${us.library}`,
      },
      {
        operation: 'ms until a lock can be taken whose holder was killed',
        handWritten: inDigits(dead.ours),
        library: `with its shortest \`stale\`, 2 s: ${inDigits(dead.library)}`,
      },
      {
        operation:
          'can a lock be taken whose holder is stopped (SIGSTOP) for 4 s, and then runs on?',
        handWritten: stopped.ours,
        library: stopped.library,
      },
    ];
  } finally {
    await folder.remove();
  }
}

function cycles(way: Way): Block {
  return async (times) => {
    for (let at = 0; at < times; at += 1) await (await lockWith(way))();
    return 0;
  };
}

/** Milliseconds, the median of three. */
async function afterKill(way: Way): Promise<number> {
  const tookMs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const holder = await holderOf(way);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const killedMs = systemClock.monotonicMs();
    const release = await takenBefore(way, killedMs + PATIENCE_MS);
    tookMs.push(systemClock.monotonicMs() - killedMs);
    await release?.();
  }
  return spreadOf(tookMs).median;
}

async function afterStop(way: Way): Promise<'yes' | 'no'> {
  const holder = await holderOf(way);
  holder.kill('SIGSTOP');
  const release = await takenBefore(way, systemClock.monotonicMs() + STOPPED_MS);
  await release?.();
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  return release === undefined ? 'no' : 'yes';
}

/** Tries every few milliseconds; undefined: in vain. */
async function takenBefore(way: Way, untilMs: number): Promise<(() => Promise<void>) | undefined> {
  for (;;) {
    const release = await lockWith(way).catch(() => undefined);
    if (release !== undefined || systemClock.monotonicMs() > untilMs) return release;
    await sleep(5);
  }
}

/** A process of its own that holds the lock. */
async function holderOf({ kind, folder }: Way): Promise<ChildProcess> {
  const holder = fork(new URL('./lock-holder.js', import.meta.url), [kind, folder]);
  await once(holder, 'message');
  return holder;
}
