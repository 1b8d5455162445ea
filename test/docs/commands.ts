import { blocksOf, codeIn, readPage, sectionsOf, tableRows } from './page.ts';

/** The commands of the program, as their page has them (which a test compares with `--help`), with their options. */
const COMMANDS = new Map(
  sectionsOf(readPage('docs/reference/cli.md')).flatMap(({ heading, text }) => {
    const name = codeIn(heading)?.replace(/ [<[].*$/, '');
    const rows = tableRows(text, 'option');
    const flags = rows.flatMap(([cell]) => codeIn(cell)?.match(/-{1,2}[\w-]+/g) ?? []);
    return name === undefined ? [] : [[name, new Set(flags)] as const];
  }),
);

/** The commands of the program in the blocks of a page and in its text. */
export function commandsIn(page: string): readonly string[] {
  const blocks = blocksOf(page).flatMap(({ text }) => text.split('\n'));
  const inline = [...page.matchAll(/`(understudy [^`]+)`/g)].map(([, command = '']) => command);
  return [...blocks, ...inline].filter((line) => line.startsWith('understudy '));
}

/** What of a command does not exist; empty: nothing. */
export function wrongIn(line: string): string {
  const words = line.replaceAll(/'[^']*'|"[^"]*"/g, 'text').split(/[ \n]+/);
  if (words[1] === '--version') return '';
  const names = [3, 2].map((count) => words.slice(0, count).join(' '));
  const name = names.find((each) => COMMANDS.has(each));
  if (name === undefined) return `no command ${words.slice(0, 3).join(' ')}`;
  return words.filter((word) => word.startsWith('-') && !COMMANDS.get(name)?.has(word)).join();
}
