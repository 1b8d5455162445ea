import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The compiled command line, in the folder of the compiled tests. */
export const COMMAND = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

const TIMEOUT_MS = 100_000;

export type CommandEnd = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type CommandSetting = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds; by default 100 s. */
  readonly timeoutMs?: number;
};

/** Runs `understudy <args>` to its end. A code of null: it was killed, because it took too long. */
export function understudy(
  args: readonly string[],
  { cwd, env, timeoutMs = TIMEOUT_MS }: CommandSetting = {},
): Promise<CommandEnd> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [COMMAND, ...args],
      { cwd, env: { ...withoutColour(), ...env }, timeout: timeoutMs, killSignal: 'SIGKILL' },
      (_, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

/** The environment without what would turn colours on or off. */
function withoutColour(): NodeJS.ProcessEnv {
  const { NO_COLOR: _no, FORCE_COLOR: _force, CI: _ci, ...rest } = process.env;
  return rest;
}
