import type { ChildProcess } from 'node:child_process';

/** The children of this process that are alive. */
const living = new Set<ChildProcess>();

export function keepTrackOf(child: ChildProcess): void {
  living.add(child);
  child.once('exit', () => living.delete(child));
  child.once('error', () => {
    if (child.pid === undefined) living.delete(child);
  });
}

/** Kills all of them immediately. */
export function killLiving(): void {
  for (const child of living) child.kill('SIGKILL');
}
