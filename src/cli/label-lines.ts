import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { messageOf } from '../core/errors.ts';
import { CommandError, EXIT } from './exit-code.ts';

/** One label of a file: what is sent for it, or why it cannot be. */
export type LabelLine = {
  /** From 1. */
  readonly line: number;
  readonly item?: Readonly<Record<string, unknown>>;
  readonly problem?: string;
};

/** More than any line of labels; a file without line ends would else be held whole. */
const LINE_CHARACTERS_MAX = 65_536;

const HEADER = /^\uFEFF?(id|token),label$/;

/**
 * The labels of a file, one a line: JSON objects, or CSV with the header `id,label` or `token,label`. `model` is of those that
 * have an id and name none.
 *
 * @throws CommandError `usage` for a file that cannot be read, or is neither.
 */
export async function* labelLines(file: string, model?: string): AsyncGenerator<LabelLine> {
  const lines = createInterface({
    input: createReadStream(file, 'utf8'),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  let column: string | undefined;
  let line = 0;
  try {
    for await (const text of lines) {
      line += 1;
      if (text.trim() === '') continue;
      if (line === 1 && !text.trimStart().startsWith('{')) {
        column = HEADER.exec(text.trim())?.[1];
        if (column === undefined)
          throw new CommandError(
            EXIT.usage,
            `${file}: expected JSON lines, or CSV with the header id,label or token,label, found "${text.slice(0, 60)}"`,
          );
        continue;
      }
      yield { line, ...read(text, column, model) };
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(EXIT.usage, `${file}: ${messageOf(error)}`, { cause: error });
  }
}

function read(
  text: string,
  column: string | undefined,
  model: string | undefined,
): Omit<LabelLine, 'line'> {
  if (text.length > LINE_CHARACTERS_MAX)
    return { problem: `expected at most ${LINE_CHARACTERS_MAX} characters in a line, found more` };
  const found = column === undefined ? objectOf(text) : rowOf(text, column);
  if (typeof found === 'string') return { problem: found };
  if (found['id'] === undefined || found['model'] !== undefined) return { item: found };
  if (model !== undefined) return { item: { ...found, model } };
  return { problem: 'expected the model of the id. Name it with --model' };
}

function objectOf(text: string): Readonly<Record<string, unknown>> | string {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : 'expected a JSON object, found none';
  } catch (error) {
    return `expected a JSON object, found: ${messageOf(error)}`;
  }
}

/** A cell, in quotes or not; quotes in quotes are doubled. */
const CELL = /(?:"((?:[^"]|"")*)"|([^,"]*))(?:,|$)/y;

function rowOf(text: string, column: string): Readonly<Record<string, unknown>> | string {
  const cells: string[] = [];
  CELL.lastIndex = 0;
  while (CELL.lastIndex < text.length && cells.length < 3) {
    const match = CELL.exec(text);
    if (match === null) return 'expected cells as CSV writes them, found a quote that does not fit';
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
  }
  const [name = '', label = ''] = cells;
  if (cells.length !== 2 || name === '' || label === '')
    return `expected two cells, ${column} and label, found ${cells.length}`;
  return { [column]: name, label: labelOf(label) };
}

/** A number or a list is one, as in JSON; anything else is the name of a class, or text. */
function labelOf(cell: string): unknown {
  if (!/^[-\d[{]/.test(cell)) return cell;
  try {
    return JSON.parse(cell);
  } catch {
    return cell;
  }
}
