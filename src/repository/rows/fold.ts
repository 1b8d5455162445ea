/** Small whole numbers on their way through nodes that hold nothing of what callers sent: shapes, axes, permutations. */

import { ELEMENTWISE } from './elementwise.ts';
import { combined, dependsOnRows, type Extent, holdsRows, isSettled, mixed } from './extent.ts';
import { type Call, LIST_MAX, numbersOf, type Traced } from './traced.ts';

type Folded = Omit<Traced, 'kind'>;

/** What a node makes of values that are not sent; nothing where it is not followed. */
export function fold(call: Call): Folded {
  const found = folded(call);
  return found.content && found.content.length > LIST_MAX ? { rank: found.rank } : found;
}

/** What the shape of a value is, as far as it is known. */
export function shapeOf({ rank, row }: Traced, call: Call): Folded {
  if (call.op === 'Size') return { rank: 0, content: ['by rows'] };
  if (call.op === 'EyeLike') return { rank, row };
  if (rank === undefined) return { rank: 1 };
  const others = row === undefined ? null : 'size';
  const sizes = Array.from({ length: rank }, (_, axis): Extent => (axis === row ? 'rows' : others));
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
    case 'Range':
      return ranging(call);
    case 'ConstantOfShape':
      return listOf(first) ?? filled(first, 0);
    case 'Expand':
      return filled(call.inputs[1], first?.rank ?? 0);
    default:
      return calculated(call);
  }
}

/** As many numbers as there are rows are another for each row. */
function ranging({ inputs: [start, limit, delta] }: Call): Folded {
  const isByRows = [start, limit, delta].some((each) => dependsOnRows(each?.content));
  const isIota =
    start?.content?.[0] === 0 && limit?.content?.[0] === 'rows' && delta?.content?.[0] === 1;
  return { rank: 1, row: isByRows ? 0 : undefined, isIota };
}

/** A short list of the same number, whichever it is. */
function listOf(target: Traced | undefined): Folded | undefined {
  const [length, ...more] = target?.content ?? [];
  if (typeof length !== 'number' || more.length > 0 || length > LIST_MAX) return undefined;
  return { rank: 1, content: Array.from({ length: Math.max(0, length) }, (): Extent => 'size') };
}

/** All of the same, or of the same rows. */
function filled(target: Traced | undefined, least: number): Folded {
  const sizes = target?.content;
  const row = sizes?.findIndex(holdsRows) ?? -1;
  if (sizes === undefined) return {};
  const rank = Math.max(sizes.length, least);
  return row < 0 ? { rank } : { rank, row: row + rank - sizes.length, isEven: true };
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

/** Element by element where that is known; what else comes of settled values is settled. */
function calculated({ op, inputs }: Call): Folded {
  const values = inputs.filter((each) => each !== undefined);
  const rank = values.some((each) => each.rank === undefined)
    ? undefined
    : Math.max(0, ...values.map((each) => each.rank ?? 0));
  if (!ELEMENTWISE.has(op)) return REDUCED.test(op) ? reduced(values) : {};
  const lengths = values.map(({ content }) => content?.length ?? 0);
  const length = Math.max(0, ...lengths);
  if (lengths.some((each) => each === 0 || (each !== length && each !== 1))) return { rank };
  const at = (list: readonly Extent[] | undefined, index: number): Extent =>
    list?.[list.length === 1 ? 0 : index] ?? null;
  const content = Array.from({ length }, (_, index) => {
    const all = values.map((value) => at(value.content, index));
    const [a = null, b = null] = all;
    return all.length === 2 ? combined(op, a, b) : mixed(all);
  });
  return { rank, content };
}

/** One number out of several: whether it depends on rows is all that is known of it. */
function reduced(values: readonly Traced[]): Folded {
  const [first] = values;
  if (first?.content === undefined) return {};
  const isKnown = isSettled(first.content) || dependsOnRows(first.content);
  return isKnown ? { content: [mixed(first.content)] } : {};
}

const REDUCED = /^Reduce/;
