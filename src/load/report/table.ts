/** A table of texts. The first row is the heading; a `note` says what a reader must know to read it right. */
export type Table = {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
};

/** Leaves out columns without a single text, and notes that there is no need for. */
export function table(
  title: string,
  rows: Table['rows'],
  notes: readonly (string | undefined)[] = [],
): Table {
  const used = (rows[0] ?? []).map((_, column) => rows.some((row) => (row[column] ?? '') !== ''));
  return {
    title,
    rows: rows.map((row) => row.filter((_, column) => used[column] ?? true)),
    notes: notes.filter((note) => note !== undefined),
  };
}

const NUMBER = /^[-+]?[\d,]+(\.\d+)?(e[-+]?\d+)?( %)?$|^-$/;

/** The places of the columns that hold numbers only, heading aside: these stand to the right. */
export function numberColumns(rows: Table['rows']): ReadonlySet<number> {
  const [heading = [], ...body] = rows;
  const isNumeric = (column: number): boolean =>
    body.length > 0 && body.every((row) => NUMBER.test(row[column] ?? ''));
  return new Set(heading.map((_, column) => column).filter(isNumeric));
}

/** The rows with their numbers filled up from the left, so that columns of text of one width line up. */
export function alignedRows(rows: Table['rows']): Table['rows'] {
  const numeric = numberColumns(rows);
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => [...(row[column] ?? '')].length)),
  );
  return rows.map((row) =>
    row.map((cell, column) =>
      numeric.has(column) ? ' '.repeat((widths[column] ?? 0) - [...cell].length) + cell : cell,
    ),
  );
}
