import { rowsOf } from '../compare/layout.ts';
import { topClass } from '../compare/ranking.ts';
import { numbersOf } from '../core/numbers.ts';
import type { Observation } from '../core/outcome.ts';
import { DTYPE_BYTES, type Tensor } from '../core/tensor.ts';

/** One version's answer in short. */
export type Said =
  | { readonly kind: 'failure'; readonly code: string; readonly message: string }
  | { readonly kind: 'answer'; readonly outputs: readonly SaidOutput[] };

export type SaidOutput = {
  readonly name: string;
  readonly dtype: Tensor['dtype'];
  readonly shape: readonly number[];
  /** The best class of one row: of class scores, where the model is a classifier. */
  readonly top?: SaidClass;
  /** The first elements, where there is no class. Text for BYTES; what is no finite number as text, since JSON has none. */
  readonly first?: readonly (number | string)[];
};

export type SaidClass = {
  readonly row: number;
  readonly class: number;
  /** Its name, where the model has names. */
  readonly label?: string;
  readonly score: number;
};

/** What is needed to put an answer into few words. */
export type SaidOptions = {
  /** Its outputs of class scores. */
  readonly classOutputs: readonly string[];
  readonly labels: readonly string[] | undefined;
};

const OUTPUTS_MAX = 4;
const ELEMENTS_MAX = 8;
/** Rows that are looked through for one that differs. */
const ROWS_MAX = 1_024;
const TEXT_LENGTH_MAX = 80;
const MESSAGE_LENGTH_MAX = 200;

/** Both answers in short; of several rows of class scores, the first in which the best class is another. */
export function saidOfBoth(
  stable: Observation,
  candidate: Observation,
  options: SaidOptions,
): { readonly stable: Said; readonly candidate: Said } {
  const row = differingRow(stable, candidate, options.classOutputs[0]);
  return { stable: saidOf(stable, row, options), candidate: saidOf(candidate, row, options) };
}

function saidOf(answer: Observation, row: number, options: SaidOptions): Said {
  if (answer.kind === 'failure') {
    const { code, message } = answer;
    return { kind: 'failure', code, message: message.slice(0, MESSAGE_LENGTH_MAX) };
  }
  const outputs = answer.outputs.slice(0, OUTPUTS_MAX);
  return { kind: 'answer', outputs: outputs.map((output) => saidOutput(output, row, options)) };
}

function saidOutput(
  output: Tensor,
  row: number,
  { classOutputs, labels }: SaidOptions,
): SaidOutput {
  const { name, dtype, shape } = output;
  const top = classOutputs.includes(name) ? topOf(output, row) : undefined;
  if (top === undefined) return { name, dtype, shape, first: firstElements(output) };
  const label = labels?.[top.class];
  return { name, dtype, shape, top: { ...top, ...(label === undefined ? {} : { label }) } };
}

type ClassRows = {
  readonly scores: ArrayLike<number>;
  readonly rows: number;
  readonly classes: number;
};

function classRowsOf(output: Tensor): ClassRows | undefined {
  const size = rowsOf(output.shape);
  const scores = numbersOf(output);
  return size && scores && { scores, ...size };
}

function topOf(output: Tensor, row: number): Omit<SaidClass, 'label'> | undefined {
  const found = classRowsOf(output);
  if (found === undefined || row >= found.rows) return undefined;
  const { scores, classes } = found;
  const best = topClass({ scores, start: row * classes, classes });
  if (best < 0) return undefined;
  return { row, class: best, score: scores[row * classes + best] ?? 0 };
}

function differingRow(
  stable: Observation,
  candidate: Observation,
  classOutput: string | undefined,
): number {
  const [a, b] = [stable, candidate].map((answer) => {
    if (answer.kind === 'failure') return undefined;
    const output = answer.outputs.find(({ name }) => name === classOutput);
    return output && classRowsOf(output);
  });
  if (a === undefined || b === undefined) return 0;
  const best = ({ scores, classes }: ClassRows, row: number): number =>
    topClass({ scores, start: row * classes, classes });
  for (let row = 0; row < Math.min(a.rows, b.rows, ROWS_MAX); row += 1) {
    if (best(a, row) !== best(b, row)) return row;
  }
  return 0;
}

function firstElements(output: Tensor): readonly (number | string)[] {
  const { dtype, data } = output;
  if (dtype === 'BYTES') return firstTexts(data);
  const width = DTYPE_BYTES[dtype];
  const count = Math.min(Math.floor(data.byteLength / width), ELEMENTS_MAX);
  const start = { ...output, shape: [count], data: data.subarray(0, count * width) };
  return Array.from(numbersOf(start) ?? [], (value) =>
    Number.isFinite(value) ? value : String(value),
  );
}

/** Not all of a long tensor is split for its first elements. */
function firstTexts(data: Uint8Array): readonly string[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const texts: string[] = [];
  for (let at = 0; at + 4 <= data.byteLength && texts.length < ELEMENTS_MAX; ) {
    const end = at + 4 + view.getUint32(at, true);
    if (end > data.byteLength) break;
    const text = Buffer.from(data.subarray(at + 4, Math.min(end, at + 4 + 4 * TEXT_LENGTH_MAX)));
    texts.push(text.toString('utf8').slice(0, TEXT_LENGTH_MAX));
    at = end;
  }
  return texts;
}
