/** The exit codes for scripts. */
export const EXIT = {
  ok: 0,
  /** The thing asked for failed, or was refused. */
  failed: 1,
  /** The command line or a file could not be understood. */
  usage: 2,
  /** Neither proven good nor proven bad. */
  inconclusive: 3,
  /** No gateway answered. */
  unreachable: 4,
  /** The reader of the output has gone: 128 + SIGPIPE, as of a program that dies of that signal. */
  brokenPipe: 141,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with a message and an exit code. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}
