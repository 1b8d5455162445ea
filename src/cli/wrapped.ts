import { COLUMNS } from './terminal-size.ts';
import { widthOf } from './text-width.ts';

/** How much further in the rest of a line stands. */
const INDENT = 2;

type Stream = { readonly isTTY?: boolean; readonly columns?: number };

/** Columns that a text for this stream may take: those of the terminal, or no end of them in a pipe or file. */
export function columnsOf({ isTTY, columns }: Stream): number {
  return isTTY === true ? columns || COLUMNS : Infinity;
}

/** Breaks lines at spaces so that none is wider than `columns`. A word that is wider stays whole. */
export function wrapped(text: string, columns: number): string {
  if (columns === Infinity) return text;
  return text
    .split('\n')
    .map((line) => (widthOf(line) <= columns ? line : wrappedLine(line, columns)))
    .join('\n');
}

/** At most so many lines of at most `columns`, broken at spaces; what does not fit is left out, and three dots say so. */
export function wrappedTo(text: string, columns: number, linesMax: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(/ +/)) {
    const last = lines.at(-1);
    const joined = last === undefined ? word : `${last} ${word}`;
    if (last !== undefined && widthOf(joined) > columns) lines.push(word);
    else lines[Math.max(0, lines.length - 1)] = joined;
  }
  if (lines.length <= linesMax) return lines;
  const shown = lines.slice(0, linesMax);
  let end = shown.pop() ?? '';
  while (end.includes(' ') && widthOf(end) + 4 > columns) end = end.slice(0, end.lastIndexOf(' '));
  return [...shown, `${end} ...`];
}

function wrappedLine(line: string, columns: number): string {
  const [margin = ''] = /^ */.exec(line) ?? [];
  const indent = ' '.repeat(Math.min(margin.length + INDENT, columns >> 1));
  const lines: string[] = [];
  let current = margin;
  let isEmpty = true;
  for (const [, gap = '', word = ''] of line.slice(margin.length).matchAll(/( *)([^ ]+)/g)) {
    if (!isEmpty && widthOf(current + gap + word) > columns) {
      lines.push(current);
      current = indent + word;
    } else current += gap + word;
    isEmpty = false;
  }
  return [...lines, current].join('\n');
}
