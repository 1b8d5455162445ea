import { readdirSync, readFileSync } from 'node:fs';

const MIB_PER_KIB = 1 / 1024;

/**
 * Memory of a process of this machine and of all its descendants, in MiB: proportional set size, which counts memory that
 * several processes share once. undefined where the process is gone or its memory may not be read. Linux only.
 */
export function memoryOf(pid: number): number | undefined {
  const own = pssOf(pid);
  if (own === undefined) return undefined;
  return childrenOf(pid).reduce((sum, child) => sum + (memoryOf(child) ?? 0), own);
}

function pssOf(pid: number): number | undefined {
  const text = read(`/proc/${pid}/smaps_rollup`);
  const kib = /^Pss:\s+(\d+) kB$/m.exec(text ?? '')?.[1];
  return kib === undefined ? undefined : Number(kib) * MIB_PER_KIB;
}

/** A process lists the children that each of its threads has started. */
function childrenOf(pid: number): readonly number[] {
  return list(`/proc/${pid}/task`).flatMap((thread) => {
    const text = read(`/proc/${pid}/task/${thread}/children`) ?? '';
    return text.split(' ').filter(Boolean).map(Number);
  });
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
