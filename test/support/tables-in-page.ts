import type { ImportTable } from './source-rules.ts';

const HEADING = /^\|.*\| may import \|$/;
const ROW = /^\| (`[^|]+) \|.*\| ([^|]+) \|$/;

/**
 * The tables of who may import what in a page of Markdown, in their order. A row begins with the folder or the root file that it is
 * about, and ends with what that may import, or with `nothing` or `everything`.
 */
export function importTablesIn(page: string): readonly ImportTable[] {
  const tables: Record<string, '*' | readonly string[]>[] = [];
  for (const line of page.split('\n')) {
    if (HEADING.test(line)) tables.push({});
    const [, what, allowed] = ROW.exec(line) ?? [];
    const table = tables.at(-1);
    if (table === undefined || what === undefined || allowed === undefined) continue;
    for (const [, name = ''] of what.matchAll(/`(\w+)(?:\/|\.ts)`/g))
      table[name] = importsIn(allowed);
  }
  return tables;
}

function importsIn(cell: string): '*' | readonly string[] {
  if (cell.startsWith('everything')) return '*';
  return cell.startsWith('nothing') ? [] : cell.split(', ').sort();
}

/** A table without some rows and without what they are named for, its lists in order: as `importTablesIn` gives it. */
export function asInPage(table: ImportTable, left: readonly string[]): ImportTable {
  const rows = Object.entries(table).filter(([name]) => !left.includes(name));
  return Object.fromEntries(
    rows.map(([name, allowed]) => [
      name,
      allowed === '*' ? allowed : allowed.filter((to) => !left.includes(to)).sort(),
    ]),
  );
}
