import { fstatSync, writeSync } from 'node:fs';
import { messageOf } from '../core/errors.ts';
import { EXIT } from './exit-code.ts';
import { printableLines } from './printable.ts';
import { columnsOf, wrapped } from './wrapped.ts';

const OUTPUT = 1;

/** What a pipe or socket fails with once its reader has gone. */
const READER_GONE: ReadonlySet<unknown> = new Set(['EPIPE', 'ECONNRESET']);

/**
 * From here on a result that cannot be written ends the process: quietly where its reader has gone, as after `| head`, else with
 * one line on standard error. Messages that cannot be written are lost, and change no exit code.
 */
export function endWhereOutputIsLost(): void {
  process.stdout.on('error', outputLost);
  process.stderr.on('error', () => undefined);
}

/** From here on the process survives the loss of its output. */
export function outliveOutput(): void {
  process.stdout.off('error', outputLost).on('error', () => undefined);
  process.stderr.on('error', () => undefined);
}

/** Writes all of a text to standard output, or ends the process. */
export function writeOut(text: string): void {
  const kind = fstatSync(OUTPUT);
  if (kind.isFIFO() || kind.isSocket() || process.stdout.isTTY) {
    process.stdout.write(text);
    return;
  }
  // Node's stream for files takes a short write, which comes before a full disk, for a whole one.
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(OUTPUT, bytes, at);
  } catch (error) {
    outputLost(error);
  }
}

/** Writes a message to standard error: printable, and no wider than a terminal. */
export function writeErr(text: string): void {
  process.stderr.write(wrapped(printableLines(text), columnsOf(process.stderr)));
}

function outputLost(error: unknown): never {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (READER_GONE.has(code)) process.exit(EXIT.brokenPipe);
  writeErr(`understudy: standard output cannot be written: ${messageOf(error)}\n`);
  process.exit(EXIT.failed);
}
