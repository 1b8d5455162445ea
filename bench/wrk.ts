import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MS = { us: 0.001, ms: 1, s: 1_000, m: 60_000 } as const;

/** Its version, or undefined where it is not installed. It ends with 1 when asked, so that only a missing program counts. */
export async function wrkVersion(): Promise<string | undefined> {
  const said = await run('wrk', ['-v']).catch((error: { stdout?: string }) => error);
  return /^wrk (\S+)/.exec(said.stdout ?? '')?.[1];
}

export type WrkLoad = {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** A Lua file, such as `delayScript` writes. */
  readonly script: string;
};

/** Makes each connection wait so long before it sends again: the nearest that wrk has to a rate. */
export function delayScript(delayMs: number): string {
  return `function delay()\n  return ${delayMs}\nend\n`;
}

export type WrkReport = {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
};

/** Loads with wrk from one thread. Returns what it reports; throws where that cannot be read. */
export async function loadWithWrk({
  port,
  connections,
  seconds,
  script,
}: WrkLoad): Promise<WrkReport> {
  const times = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '--latency'];
  const url = `http://127.0.0.1:${port}/`;
  const { stdout } = await run('wrk', [...times, '-s', script, url]);
  const p50Ms = percentileMs(stdout, 50);
  const p99Ms = percentileMs(stdout, 99);
  const [, perSecond] = /^Requests\/sec:\s+([\d.]+)$/m.exec(stdout) ?? [];
  if (p50Ms === undefined || p99Ms === undefined || perSecond === undefined) {
    throw new Error(`expected two percentiles and a rate from wrk, found:\n${stdout}`);
  }
  return { p50Ms, p99Ms, perSecond: Number(perSecond) };
}

function percentileMs(stdout: string, percent: 50 | 99): number | undefined {
  const line = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m)$`, 'm');
  const [, amount, unit] = line.exec(stdout) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  return Number(amount) * MS[unit as keyof typeof MS];
}
