#!/usr/bin/env node
import { ConfigError } from '../config/config-error.ts';
import { messageOf } from '../core/errors.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { createProgram } from './program.ts';
import { endWhereOutputIsLost, writeErr } from './standard-output.ts';
import { assumeTerminalSize } from './terminal-size.ts';

endWhereOutputIsLost();
for (const stream of [process.stdout, process.stderr]) assumeTerminalSize(stream);

try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** Prints the error, unless the parser already has. */
function exitCodeOf(error: unknown): number {
  if (isParserError(error)) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  writeErr(`${errorText(error)}\n`);
  return error instanceof CommandError ? error.exitCode : EXIT.failed;
}

/** What is wrong in a file is said a line each, as editors follow it. Any other message keeps its lines below its first. */
function errorText(error: unknown): string {
  const thrown = error instanceof CommandError ? error.cause : error;
  if (thrown instanceof ConfigError) return thrown.message;
  return `understudy: ${messageOf(error).trimEnd().replaceAll('\n', '\n  ')}`;
}

function isParserError(error: unknown): error is { code: string; exitCode: number } {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('commander.')
  );
}
