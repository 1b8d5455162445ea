/** Small whole numbers on their way through nodes that hold nothing of what callers sent: shapes, axes, permutations. */
import { type Call, type Extent, LIST_MAX, numbersOf, type Traced } from './traced.ts';

type Folded = Pick<Traced, 'rank' | 'content'>;

/** What a node makes of values that are not sent; nothing where it is not followed. */
export function fold(call: Call): Folded {
  const found = folded(call);
  return found.content && found.content.length > LIST_MAX ? { rank: found.rank } : found;
}

/** What the shape of a value is, as far as it is known. */
export function shapeOf({ rank, row }: Traced, call: Call): Folded {
  if (rank === undefined || call.op !== 'Shape')
    return { rank: call.op === 'Shape' ? 1 : undefined };
  const sizes = Array.from({ length: rank }, (_, axis): Extent => (axis === row ? 'rows' : null));
  return { rank: 1, content: sizes.slice(call.whole('start') ?? 0, call.whole('end') ?? rank) };
}

function folded(call: Call): Folded {
  const [first] = call.inputs;
  switch (call.op) {
    case 'Identity':
    case 'Cast':
      return { rank: first?.rank, content: first?.content };
    case 'Transpose':
    case 'QuantizeLinear':
    case 'DequantizeLinear':
      return { rank: first?.rank };
    case 'Unsqueeze':
      return { rank: sumOf(first?.rank, axesIn(call)?.length), content: first?.content };
    case 'Squeeze':
      return { rank: squeezedRank(call), content: first?.content };
    case 'Reshape':
      return { rank: call.inputs[1]?.content?.length, content: first?.content };
    case 'Concat':
      return concatenated(call);
    case 'Gather':
      return gathered(call);
    case 'Slice':
      return sliced(call);
    case 'Mul':
    case 'Div':
    case 'Add':
    case 'Sub':
      return calculated(call);
    default:
      return {};
  }
}

function axesIn(call: Call): readonly number[] | undefined {
  return call.wholes('axes') ?? numbersOf(call.inputs[1]);
}

function sumOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

function squeezedRank(call: Call): number | undefined {
  const rank = call.inputs[0]?.rank;
  const axes = axesIn(call);
  if (axes) return rank === undefined ? undefined : rank - axes.length;
  return call.inputs[0]?.content?.length === 1 ? 0 : undefined;
}

function concatenated({ inputs }: Call): Folded {
  const parts = inputs.map((each) => each?.content);
  const rank = inputs[0]?.rank;
  if (rank !== 1 || parts.some((part) => part === undefined)) return { rank };
  return { rank, content: parts.flatMap((part) => part ?? []).slice(0, LIST_MAX + 1) };
}

function gathered({ inputs: [data, indices] }: Call): Folded {
  const at = numbersOf(indices);
  if (!data?.content || data.rank !== 1 || !at) return {};
  const content = data.content;
  return { rank: indices?.rank, content: at.map((index) => content.at(index) ?? null) };
}

function sliced(call: Call): Folded {
  const { rank, content } = call.inputs[0] ?? {};
  const [start] = call.wholes('starts') ?? numbersOf(call.inputs[1]) ?? [];
  const [end] = call.wholes('ends') ?? numbersOf(call.inputs[2]) ?? [];
  const step = call.inputs[4] ? numbersOf(call.inputs[4])?.[0] : 1;
  if (!content || rank !== 1 || start === undefined || end === undefined || step !== 1)
    return { rank };
  return { rank, content: content.slice(start, end) };
}

/** A product or quotient of the number of rows is a size that holds rows still. */
function calculated({ op, inputs: [left, right] }: Call): Folded {
  if (!left || !right || left.rank === undefined || right.rank === undefined) return {};
  const rank = Math.max(left.rank, right.rank);
  const [a, b] = [left.content, right.content];
  if (!a || !b || (a.length !== b.length && a.length !== 1 && b.length !== 1)) return { rank };
  const length = Math.max(a.length, b.length);
  const at = (list: readonly Extent[], index: number) =>
    list[list.length === 1 ? 0 : index] ?? null;
  const content = Array.from({ length }, (_, index) => combined(op, at(a, index), at(b, index)));
  return { rank, content };
}

function combined(op: string, a: Extent, b: Extent): Extent {
  if (a === 'rows' || b === 'rows')
    return op === 'Mul' || (op === 'Div' && a === 'rows') ? 'rows' : null;
  if (a === null || b === null) return null;
  if (op === 'Mul') return a * b;
  if (op === 'Div') return b === 0 ? null : Math.trunc(a / b);
  return op === 'Add' ? a + b : a - b;
}
