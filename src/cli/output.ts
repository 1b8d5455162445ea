import { messageOf } from '../core/errors.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { printableData, printableJson } from './printable.ts';
import { writeOut } from './standard-output.ts';
import { columnsOf, wrapped } from './wrapped.ts';

export type OutputFormat = 'json' | 'text';

/** What `-o` was given. */
export function readFormat(text: string): OutputFormat {
  if (text === 'json' || text === 'text') return text;
  throw new CommandError(EXIT.usage, `--output: expected json or text, found "${text}"`);
}

/** Writes a result: as JSON, or as the text that `toText` makes of it. */
export function print<T>(result: T, format: OutputFormat, toText: (result: T) => string): void {
  const text =
    format === 'json'
      ? printableJson(JSON.stringify(result, undefined, 2))
      : viewOf(result, toText);
  writeOut(`${text}\n`);
}

/**
 * A result as text for standard output. Every text in the result comes from outside (names of models, messages, labels, lines of a
 * ledger) and is made printable before `toText` adds colours and line ends of its own.
 */
export function viewOf<T>(result: T, toText: (result: T) => string): string {
  return wrapped(textOf(result, toText).trimEnd(), columnsOf(process.stdout));
}

function textOf<T>(result: T, toText: (result: T) => string): string {
  try {
    return toText(printableData(result));
  } catch (error) {
    throw new CommandError(
      EXIT.failed,
      `expected a result that can be shown as text, found one of another form (${messageOf(error)}). Is the gateway of another version? -o json shows what came.`,
      { cause: error },
    );
  }
}
