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

/** Loads with wrk from one thread. Returns the 99th percentile that it reports, and its requests per second. */
export async function loadWithWrk({
  port,
  connections,
  seconds,
  script,
}: WrkLoad): Promise<{ readonly p99Ms: number; readonly perSecond: number }> {
  const times = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '--latency'];
  const url = `http://127.0.0.1:${port}/`;
  const { stdout } = await run('wrk', [...times, '-s', script, url]);
  const [, amount, unit] = /^\s+99%\s+([\d.]+)(us|ms|s|m)$/m.exec(stdout) ?? [];
  const [, perSecond] = /^Requests\/sec:\s+([\d.]+)$/m.exec(stdout) ?? [];
  if (amount === undefined || unit === undefined || perSecond === undefined) {
    throw new Error(`expected a 99th percentile and a rate from wrk, found:\n${stdout}`);
  }
  return { p99Ms: Number(amount) * MS[unit as keyof typeof MS], perSecond: Number(perSecond) };
}
