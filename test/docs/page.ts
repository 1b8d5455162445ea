import { readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../support/project-root.ts';

/** A fenced block: what stands behind the opening fence, the text, and the line it begins at. */
export type Block = { readonly info: string; readonly text: string; readonly line: number };

/** The text of a page, by its path from the root. */
export function readPage(file: string): string {
  return readFileSync(path.join(projectRoot, file), 'utf8');
}

/** All fenced blocks of a page, in order. */
export function blocksOf(page: string): readonly Block[] {
  return [...page.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    info: match[1] ?? '',
    text: match[2] ?? '',
    line: page.slice(0, match.index).split('\n').length,
  }));
}

/** A part of a page under a heading of the second level, up to the next one. */
export type Section = { readonly heading: string; readonly text: string };

export function sectionsOf(page: string): readonly Section[] {
  return page
    .split(/^## /m)
    .slice(1)
    .map((text) => ({ heading: text.split('\n')[0] ?? '', text }));
}

/** The rows of the tables whose first heading is `first`: their cells, without the heading. */
export function tableRows(text: string, first: string): readonly (readonly string[])[] {
  const rows: (readonly string[])[] = [];
  let isIn = false;
  for (const line of text.split('\n')) {
    const cells = line.startsWith('|')
      ? line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim())
      : [];
    if (cells.length === 0) isIn = false;
    else if (cells[0] === first) isIn = true;
    else if (isIn && !/^-+$/.test(cells[0] ?? '')) rows.push(cells);
  }
  return rows;
}

/** The text between the first pair of backticks; undefined: there is none. */
export function codeIn(cell: string | undefined): string | undefined {
  return /`([^`]+)`/.exec(cell ?? '')?.[1];
}
