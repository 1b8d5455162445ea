import { readdir, readFile } from 'node:fs/promises';

type Entry = { readonly pid: number; readonly parent: number; readonly session: number };

/**
 * The processes of a server that runs in a session of its own: those of the session, those with its mark in their environment,
 * and all that descend from them. Three ways because each is lost by some: a daemon leaves its session and its parent, and a
 * process that changes its title overwrites its environment.
 */
export async function processesOf(root: number, mark: string): Promise<readonly number[]> {
  const entries = await allEntries();
  const found = new Set<number>();
  for (const { pid, session } of entries) {
    if (session === root || (await environmentHas(pid, mark))) found.add(pid);
  }
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent } of entries) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

/** The memory that the processes hold, in MiB, pages that several share counted once between them (PSS). */
export async function memoryMiB(pids: readonly number[]): Promise<number> {
  const kib = await Promise.all(pids.map(async (pid) => pssKib(await read(pid, 'smaps_rollup'))));
  return kib.reduce((sum, each) => sum + each, 0) / 1024;
}

/** The figure of a `smaps_rollup`; 0 where the process has ended meanwhile. */
export function pssKib(rollup: string): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0);
}

/** Parent and session of a `stat` line. The name in it, in brackets, may hold anything, spaces and brackets included. */
export function entryIn(pid: number, stat: string): Entry | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [, parent, , session] = fields.map(Number);
  if (parent === undefined || session === undefined) return undefined;
  return { pid, parent, session };
}

async function allEntries(): Promise<readonly Entry[]> {
  const names = await readdir('/proc');
  const pids = names.map(Number).filter((pid) => Number.isInteger(pid));
  const entries = await Promise.all(pids.map(async (pid) => entryIn(pid, await read(pid, 'stat'))));
  return entries.filter((entry) => entry !== undefined);
}

async function environmentHas(pid: number, mark: string): Promise<boolean> {
  return (await read(pid, 'environ')).includes(mark);
}

/** Empty where the process has ended, or is not ours to look at. */
async function read(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
