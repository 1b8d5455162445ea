import { messageOf } from '../core/errors.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { isPrintable, printableData, printableJson, printableLines } from './printable.ts';
import { writeOut } from './standard-output.ts';
import { columnsOf, wrapped } from './wrapped.ts';

/** As kubectl has them. `wide`: a table with more columns. */
const FORMATS = ['table', 'wide', 'json', 'yaml'] as const;

export type OutputFormat = (typeof FORMATS)[number];

/** `isWide`: there is room for more columns. */
export type ToText<T> = (result: T, isWide: boolean) => string;

/** What `-o` was given. */
export function readFormat(text: string): OutputFormat {
  const format = FORMATS.find((name) => name === text);
  if (format !== undefined) return format;
  throw new CommandError(EXIT.usage, `--output: expected ${FORMATS_TEXT}, found "${text}"`);
}

/** The formats in words, for help and messages. */
export const FORMATS_TEXT = `${FORMATS.slice(0, -1).join(', ')} or ${FORMATS.at(-1)}`;

/** True for formats that people read, false for those that programs read. */
export function isForReading(format: OutputFormat): boolean {
  return format === 'table' || format === 'wide';
}

/** Writes a result: as JSON or YAML, whole, or as the text that `toText` makes of it. */
export async function print<T>(result: T, format: OutputFormat, toText: ToText<T>): Promise<void> {
  writeOut(`${await printed(result, format, toText)}\n`);
}

async function printed<T>(result: T, format: OutputFormat, toText: ToText<T>): Promise<string> {
  if (isForReading(format)) return viewOf(result, (shown) => toText(shown, format === 'wide'));
  const json = JSON.stringify(result, undefined, 2);
  if (format === 'json') return printableJson(json);
  const { yamlText } = await import('../config/yaml-text.ts');
  const text = yamlText(JSON.parse(json), (scalar) => !isPrintable(scalar));
  return printableLines(text.trimEnd());
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
