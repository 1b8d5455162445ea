import { CommandError, EXIT } from './exit-code.ts';
import { writeOut } from './standard-output.ts';

export type OutputFormat = 'json' | 'text';

/** What `-o` was given. */
export function readFormat(text: string): OutputFormat {
  if (text === 'json' || text === 'text') return text;
  throw new CommandError(EXIT.usage, `--output: expected json or text, found "${text}"`);
}

/** Writes a result: as JSON, or as the text that `toText` makes of it. */
export function print<T>(result: T, format: OutputFormat, toText: (result: T) => string): void {
  const text = format === 'json' ? JSON.stringify(result, undefined, 2) : toText(result).trimEnd();
  writeOut(`${text}\n`);
}
