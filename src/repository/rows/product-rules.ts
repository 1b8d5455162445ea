/** Operators that bring several values together: products, and all that work element by element. */
import { axisOf, type Call, SENT, type Step, sent, type Traced } from './traced.ts';

const MEET = 'sets rows against each other';

/** Element by element, the axes of all inputs counted from the last. */
export function elementwise({ inputs }: Call): Step {
  const values = inputs.filter((each) => each !== undefined);
  const rank = rankOfAll(values);
  return together(
    rank,
    values
      .filter(({ kind }) => kind === 'sent')
      .map((value) => shifted(value.row, rank, value.rank)),
  );
}

/** Where the rows of values come to lie in the result. Two different places give each row with each. */
function together(rank: number | undefined, rows: readonly (number | undefined)[]): Step {
  const [row] = rows;
  const known = rows.filter((each) => each !== undefined);
  if (known.some((each) => each !== known[0])) return MEET;
  return [sent(rank, known.length === rows.length ? row : undefined)];
}

function rankOfAll(values: readonly Traced[]): number | undefined {
  const ranks = values.map(({ rank }) => rank);
  if (ranks.some((rank) => rank === undefined)) return undefined;
  return Math.max(0, ...ranks.map((rank) => rank ?? 0));
}

/** An axis of a value in a result of more dimensions. */
function shifted(
  row: number | undefined,
  rank: number | undefined,
  own: number | undefined,
): number | undefined {
  return row === undefined || rank === undefined || own === undefined
    ? undefined
    : row + rank - own;
}

/** The second factor of products whose first one brings a scale and a zero point along. */
const SECOND: Readonly<Record<string, number>> = { QLinearMatMul: 3 };

/** MatMul and its kin: the last axis of the left factor meets the last but one of the right. */
function product(call: Call): Step {
  const [left] = call.inputs;
  const right = call.inputs[SECOND[call.op] ?? 1];
  if (!left || !right) return [SENT];
  const a = turned(left, call.whole('transA') === 1);
  const b = turned(right, call.whole('transB') === 1);
  const inA = a.kind === 'sent' && a.row !== undefined && a.row === axisOf(-1, a.rank);
  const inB =
    b.kind === 'sent' && b.row !== undefined && b.row === (b.rank === 1 ? 0 : axisOf(-2, b.rank));
  if (inA || inB) return 'adds up along the axis that holds the rows';
  const rank = rankOfAll([a, b]);
  if (a.rank === 1 || b.rank === 1) return [sent(rank === undefined ? undefined : rank - 1, a.row)];
  return together(
    rank,
    [a, b].filter(({ kind }) => kind === 'sent').map((each) => shifted(each.row, rank, each.rank)),
  );
}

/** With the last two axes exchanged. */
function turned(value: Traced, isTurned: boolean): Traced {
  const { rank, row } = value;
  if (!isTurned) return value;
  if (rank === undefined || rank < 2 || row === undefined) return { ...value, row: undefined };
  if (row < rank - 2) return value;
  return { ...value, row: row === rank - 1 ? rank - 2 : rank - 1 };
}

/** The letters of its equation tell which axes are added up. */
function einsum(call: Call): Step {
  const equation = (call.text('equation') ?? '').replaceAll(' ', '');
  const [from = '', to] = equation.split('->');
  if (to === undefined || equation.includes('.')) return [SENT];
  const terms = from.split(',');
  const letters = call.inputs.map((value, at) =>
    value?.kind === 'sent' ? letterAt(terms[at], value.row) : '',
  );
  const known = letters.filter((letter) => letter !== undefined && letter !== '');
  if (known.some((letter) => !to.includes(letter ?? ''))) {
    return 'adds up along the axis that holds the rows';
  }
  if (known.some((letter) => letter !== known[0])) return MEET;
  const isKnown = known.length > 0 && !letters.includes(undefined);
  return [sent(to.length, isKnown ? to.indexOf(known[0] ?? '') : undefined)];
}

function letterAt(term: string | undefined, row: number | undefined): string | undefined {
  return row === undefined ? undefined : term?.[row];
}

export const PRODUCT_RULES: Readonly<Record<string, (call: Call) => Step>> = {
  MatMul: product,
  MatMulInteger: product,
  MatMulIntegerToFloat: product,
  MatMulNBits: (call) => [sent(call.inputs[0]?.rank, call.inputs[0]?.row)],
  QLinearMatMul: product,
  Gemm: product,
  FusedMatMul: product,
  TransposeMatMul: product,
  FusedGemm: product,
  QGemm: (call) => [sent(call.inputs[0]?.rank, call.inputs[0]?.row)],
  Einsum: einsum,
};
