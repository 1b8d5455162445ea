/**
 * The classification extension: in place of an output, its greatest scores, each as `score:index` or `score:index:label`.
 * Scores are written as C's `%f` and `%d` do, since clients take these strings apart.
 */
import { ServeError } from '../core/errors.ts';
import type { InferResponse } from '../core/infer.ts';
import { type FixedDtype, typedView } from '../core/numbers.ts';
import type { RepositoryVersion } from '../core/repository-version.ts';
import { elementCount, type Tensor } from '../core/tensor.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { isBatched } from './model-config.ts';
import { printFloat } from './print-float.ts';

/** How many scores are wanted of each output, by name. An output that is not here is wanted as it is. */
export type ClassCounts = ReadonlyMap<string, number>;

export type Classes = {
  /** Scores wanted of each row; where a row has fewer, all of them. */
  readonly count: number;
  /** Names of the classes, in the order of the scores. Undefined, or none at an index: no label is written. */
  readonly labels: readonly string[] | undefined;
  /** True: the first dimension is the batch, and each row has scores of its own. False: the whole tensor is one row. */
  readonly batched: boolean;
};

/** Max scores in one answer: they are picked and written without a pause on the serving thread. */
const SCORES_MAX = 16_384;

/**
 * Makes what replaces the outputs of an answer that are wanted as classes; that throws as `classify` does. To be called before
 * the request is run: a version that is taken out of service meanwhile still answers, and nothing is known of it any more then.
 */
export function createClassifier(
  gateway: Pick<Gateway, 'version' | 'versions'>,
  model: string,
  counts: ClassCounts,
): (answer: InferResponse) => InferResponse {
  if (counts.size === 0) return (answer) => answer;
  const versions = gateway.versions(model);
  return (answer) => {
    const { version } = answer;
    const known = versions.find((each) => each.version === version);
    return classifyOutputs(answer, counts, known ?? gateway.version(model, version));
  };
}

function classifyOutputs(
  response: InferResponse,
  counts: ClassCounts,
  state: RepositoryVersion,
): InferResponse {
  const { labels } = state;
  const batched = isBatched(state);
  const outputs = response.outputs.map((tensor) => {
    const count = counts.get(tensor.name);
    if (count === undefined) return tensor;
    return classify(tensor, { count, labels: labels.get(tensor.name), batched });
  });
  return { ...response, outputs };
}

/**
 * The greatest scores of each row, greatest first: BYTES of shape `[rows, k]` where batched, else `[k]`, where `k` is `count`
 * or the number of scores that a row has, if that is less. Equal scores keep the order of their indices; NaN comes last.
 * @throws ServeError `invalid_input` for a datatype that has no scores (BOOL, BYTES, FP16, BF16), `too_large` for more scores
 * than one answer may have.
 */
export function classify(tensor: Tensor, { count, labels, batched }: Classes): Tensor {
  const { name, shape } = tensor;
  const scores = scoresOf(tensor);
  const isBatched = batched && shape.length > 0;
  const rows = isBatched ? (shape[0] ?? 0) : 1;
  const classes = elementCount(isBatched ? shape.slice(1) : shape);
  const k = Math.min(count, classes);
  if (rows * k > SCORES_MAX) {
    throw new ServeError(
      'too_large',
      `too many scores of output '${name}': expected at most ${SCORES_MAX}, found ${rows} rows of ${k}`,
    );
  }
  const isFloat = tensor.dtype === 'FP32' || tensor.dtype === 'FP64';
  const written: string[] = [];
  for (let row = 0; row < rows; row += 1) {
    const from = row * classes;
    for (const at of greatest(scores.subarray(from, from + classes), k)) {
      const score = scores[from + at] ?? 0;
      const text = isFloat ? printFloat(Number(score)) : String(score);
      written.push(`${text}:${at}${suffixOf(labels?.[at])}`);
    }
  }
  return { name, dtype: 'BYTES', shape: isBatched ? [rows, k] : [k], data: bytesOf(written) };
}

type Scores = { readonly [index: number]: number | bigint; readonly length: number };

type View = Scores & { subarray(from: number, to: number): Scores };

/** The datatypes whose values the platform orders as they are. */
const SCORE_DTYPES = [
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP32',
  'FP64',
] as const satisfies readonly FixedDtype[];

function scoresOf({ name, dtype, data }: Tensor): View {
  const score = SCORE_DTYPES.find((each) => each === dtype);
  if (score === undefined) {
    throw new ServeError(
      'invalid_input',
      `class result not available for output '${name}' due to unsupported type: expected one of ${SCORE_DTYPES.join(', ')}, found ${dtype}`,
    );
  }
  return typedView(score, data);
}

/** The indices of the `k` greatest, greatest first. A heap of `k` whose root is the least: most scores cost one comparison. */
function greatest(scores: Scores, k: number): readonly number[] {
  const heap: number[] = [];
  const isLess = (a: number, b: number): boolean => isBefore(scores, b, a);
  for (let at = 0; at < scores.length && k > 0; at += 1) {
    if (heap.length < k) {
      heap.push(at);
      if (heap.length === k) for (let i = (k >> 1) - 1; i >= 0; i -= 1) sink(heap, i, isLess);
    } else if (isLess(heap[0] ?? 0, at)) {
      heap[0] = at;
      sink(heap, 0, isLess);
    }
  }
  return heap.sort((a, b) => (isBefore(scores, a, b) ? -1 : 1));
}

/** Whether the score at `a` is written before the one at `b`. NaN is the only value unlike itself. */
function isBefore(scores: Scores, a: number, b: number): boolean {
  const x = scores[a] ?? 0;
  const y = scores[b] ?? 0;
  if (x > y) return true;
  if (x < y) return false;
  const isNumber = !Number.isNaN(x);
  return isNumber === !Number.isNaN(y) ? a < b : isNumber;
}

function sink(heap: number[], from: number, isLess: (a: number, b: number) => boolean): void {
  const moved = heap[from] ?? 0;
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    const right = heap[child + 1];
    if (right !== undefined && isLess(right, heap[child] ?? 0)) child += 1;
    const least = heap[child] ?? 0;
    if (!isLess(least, moved)) break;
    heap[at] = least;
    at = child;
  }
  heap[at] = moved;
}

function suffixOf(label: string | undefined): string {
  return label === undefined || label === '' ? '' : `:${label}`;
}

/** BYTES: each element a little-endian uint32 length and its bytes. */
function bytesOf(elements: readonly string[]): Uint8Array {
  const total = elements.reduce((bytes, each) => bytes + 4 + Buffer.byteLength(each), 0);
  const data = Buffer.alloc(total);
  let at = 0;
  for (const each of elements) {
    const written = data.write(each, at + 4);
    data.writeUInt32LE(written, at);
    at += 4 + written;
  }
  return data;
}
