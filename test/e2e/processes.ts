import { readdirSync, readFileSync } from 'node:fs';

/** A process as /proc shows it: fields 3, 4 and 19 of proc(5) stat. */
type Seen = {
  readonly pid: number;
  readonly state: string;
  readonly parent: number;
  readonly nice: number;
};

/** The living children of a process, oldest first. */
export function childrenOf(pid: number): readonly Seen[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => see(Number(name)) ?? [])
    .filter(({ parent, state }) => parent === pid && state !== 'Z');
}

/** What a process of a host is there for, such as `fashion/2 candidate`; undefined for any other process. */
export function hostLabelOf(pid: number): string | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return /\/host\/main\.js (.*?) *$/.exec(line)?.[1];
  } catch {
    return undefined;
  }
}

/** False too for a process that has ended and only waits to be collected. */
export function isAlive(pid: number): boolean {
  const seen = see(pid);
  return seen !== undefined && seen.state !== 'Z' && seen.state !== 'X';
}

/** 0 to 1000 for what this test started: the highest is killed first where memory runs out. */
export function oomScoreAdjOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'));
}

/** Memory that a process has at present. */
export function residentMiB(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]) / 1_024;
}

function see(pid: number): Seen | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in brackets and may hold spaces.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state = '', parent] = fields;
    return { pid, state, parent: Number(parent), nice: Number(fields[16]) };
  } catch {
    // It ended between the look at the list and the look at it.
    return undefined;
  }
}
