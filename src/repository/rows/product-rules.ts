/** Operators that bring several values together: products, and all that work element by element. */
import { dependsOnRows } from './extent.ts';
import { axisOf, type Call, SENT, type Step, sent, type Traced } from './traced.ts';

const MEET = 'sets rows against each other';

/** Element by element, the axes of all inputs counted from the last. */
export function elementwise({ inputs }: Pick<Call, 'inputs'>): Step {
  const values = inputs.filter((each) => each !== undefined);
  const others = values.filter(({ kind }) => kind !== 'sent');
  if (others.some(({ content, isByRows }) => isByRows === true || dependsOnRows(content))) {
    return 'calculates with the number of rows';
  }
  if (others.some(({ row, isEven }) => row !== undefined && isEven !== true)) {
    return 'calculates with the place of each row';
  }
  const [only, ...more] = values;
  if (only && more.length === 0)
    return [{ ...sent(only.rank, only.row), isInFront: only.isInFront }];
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

/** The letters of its equation say which axes are summed. */
function einsum(call: Call): Step {
  const equation = (call.text('equation') ?? '').replaceAll(' ', '');
  const [from = '', to = implicit(from)] = equation.split('->');
  const terms = from.split(',');
  const axes = call.inputs.map((value, at) => axesOf(terms[at] ?? '', value?.rank));
  const letters = call.inputs.map((value, at) =>
    value?.kind === 'sent' ? axes[at]?.[value.row ?? -1] : '',
  );
  const widest = Math.max(0, ...axes.map((own) => own?.filter(isNameless).length ?? 0));
  const result = axesOf(to, to.replace('...', '').length + (to.includes('...') ? widest : 0)) ?? [];
  const known = letters.filter((letter) => letter !== undefined && letter !== '');
  if (known.some((letter) => !result.includes(letter ?? ''))) {
    return 'adds up along the axis that holds the rows';
  }
  if (known.some((letter) => letter !== known[0])) return MEET;
  const isKnown = known.length > 0 && !letters.includes(undefined);
  return [sent(result.length, isKnown ? result.indexOf(known[0] ?? '') : undefined)];
}

/** The letter of each axis; those that three points stand for are numbered from the last. Undefined: how many is not known. */
function axesOf(term: string, rank: number | undefined): readonly string[] | undefined {
  const [front = '', back] = term.split('...');
  if (back === undefined) return [...front];
  if (rank === undefined) return undefined;
  const count = Math.max(0, rank - front.length - back.length);
  return [...front, ...Array.from({ length: count }, (_, at) => String(count - at)), ...back];
}

function isNameless(letter: string): boolean {
  return /\d/.test(letter);
}

/** Where nothing is said: what stands once, in alphabetical order. */
function implicit(from: string): string {
  const letters = [...from.replaceAll(/[,.]/g, '')];
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  return `${from.includes('...') ? '...' : ''}${once.sort().join('')}`;
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
  CDist: product,
  QGemm: (call) => [sent(call.inputs[0]?.rank, call.inputs[0]?.row)],
  Einsum: einsum,
};
