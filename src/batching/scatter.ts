import { splitByteStrings } from '../core/byte-strings.ts';
import { formatShape, type Tensor } from '../core/tensor.ts';

/** The rows of one request within its batch. */
export type RowRange = { readonly start: number; readonly rows: number };

/** An output cannot be divided among the requests of its batch: it does not have one row for each. */
export class ScatterError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ScatterError';
  }
}

/**
 * Divides the outputs of a batch among its requests as views: one list of outputs for each range. The ranges lie one after
 * another and cover the batch. Throws ScatterError.
 */
export function scatter(
  outputs: readonly Tensor[],
  ranges: readonly RowRange[],
): readonly (readonly Tensor[])[] {
  if (ranges.length === 1) return [outputs];
  const rows = ranges.reduce((sum, range) => sum + range.rows, 0);
  const pieces = outputs.map((output) => divide(output, ranges, rows));
  return ranges.map((_, at) => pieces.flatMap((piece) => piece.slice(at, at + 1)));
}

/** The wanted outputs in the wanted order; undefined: all as they are. */
export function selectOutputs(
  outputs: readonly Tensor[],
  wanted: readonly string[] | undefined,
): readonly Tensor[] {
  if (wanted === undefined) return outputs;
  return wanted.flatMap((name) => outputs.filter((output) => output.name === name).slice(0, 1));
}

function divide(output: Tensor, ranges: readonly RowRange[], rows: number): Tensor[] {
  if (output.shape[0] !== rows) {
    throw new ScatterError(
      `output '${output.name}': expected ${rows} rows, found shape ${formatShape(output.shape)}`,
    );
  }
  const ends = output.dtype === 'BYTES' ? stringEnds(output, rows) : undefined;
  const rowBytes = rows === 0 ? 0 : output.data.byteLength / rows;
  const offsetOf = (row: number) => ends?.[row] ?? row * rowBytes;
  return ranges.map(({ start, rows: count }) => ({
    name: output.name,
    dtype: output.dtype,
    shape: [count, ...output.shape.slice(1)],
    data: output.data.subarray(offsetOf(start), offsetOf(start + count)),
  }));
}

/** Where each row begins, and where the last one ends. */
function stringEnds(output: Tensor, rows: number): number[] {
  const elements = splitByteStrings(output.data);
  const perRow = rows === 0 ? 0 : elements.length / rows;
  const ends = [0];
  for (let row = 0; row < rows; row += 1) {
    const own = elements.slice(row * perRow, (row + 1) * perRow);
    ends.push(own.reduce((end, { byteLength }) => end + 4 + byteLength, ends[row] ?? 0));
  }
  return ends;
}
