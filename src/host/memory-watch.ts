import { readFileSync } from 'node:fs';
import { mebibytesText } from '../core/text.ts';

/** Between two looks: a model that takes gigabytes a second is some hundred megabytes over before it is seen. */
const LOOK_MS = 250;

export type MemoryWatchOptions = {
  readonly pid: number | undefined;
  /** Resident bytes that the process may have; undefined: any number. */
  readonly bytesMax: number | undefined;
  /** Called once, with the resident bytes found. */
  readonly onOver: (bytes: number) => void;
};

/**
 * Looks at the resident memory of a process until it is over its limit. Returns how to stop. Only Linux reports it;
 * elsewhere no limit applies.
 */
export function watchMemory({ pid, bytesMax, onOver }: MemoryWatchOptions): () => void {
  if (pid === undefined || bytesMax === undefined) return () => undefined;
  const timer = setInterval(() => {
    const bytes = residentBytes(pid);
    if (bytes === undefined || bytes <= bytesMax) return;
    clearInterval(timer);
    onOver(bytes);
  }, LOOK_MS).unref();
  return () => clearInterval(timer);
}

/** Undefined for a process that has ended, and where there is no `/proc`. */
function residentBytes(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1_024;
  } catch {
    return undefined;
  }
}

/** How a process that took too much was ended, as text. */
export function overMemoryText(bytes: number, bytesMax: number): string {
  return `its memory was over execution.memoryMax: expected at most ${mebibytesText(bytesMax)} resident, found ${mebibytesText(bytes)}`;
}
