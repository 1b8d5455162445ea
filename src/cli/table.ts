import { widthOf } from './text-width.ts';

/** Between two columns. */
export const COLUMN_GAP = 2;

/** Lays rows out in columns as wide as their widest cell, two spaces apart; the first row is the heading. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<readonly number[]>(
    (widest, row) => row.map((cell, column) => Math.max(widest[column] ?? 0, widthOf(cell))),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
        .join(' '.repeat(COLUMN_GAP))
        .trimEnd(),
    )
    .join('\n');
}
