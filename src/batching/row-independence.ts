/**
 * Whether the rows of a run depend on each other, found by running made-up rows. A run holds one row that stays the same; if its
 * answer changes by a bit when only its neighbours change, requests of different callers must not share a run. Pure: the caller
 * runs what is yielded.
 */

import type { Random } from '../core/random.ts';
import type { OutboundTensor, Signature, Tensor } from '../core/tensor.ts';
import {
  batchOf,
  type Filling,
  hasFloats,
  type Row,
  type RowForm,
  rowBytesOf,
  rowOf,
} from './probe-rows.ts';
import { bitDifferenceOf, differenceOf, noiseOf, scalesOf } from './same-answer.ts';
import { ScatterError, scatter } from './scatter.ts';

/** Goes up whenever the rule may find otherwise than before: what was found by an older one is found again. */
export const ROW_RULE_VERSION = 3;

/** A run that the probe asks for. */
export type ProbeRun = { readonly tensors: readonly OutboundTensor[]; readonly rows: number };

/** What became of it. `ms`: how long the replica was taken. */
export type ProbeReply =
  | { readonly kind: 'outputs'; readonly outputs: readonly Tensor[]; readonly ms: number }
  | { readonly kind: 'failed'; readonly message: string };

/** `unknown`: the model could not be probed, so nothing speaks for its rows. */
export type ProbeFinding =
  | { readonly kind: 'apart' }
  | { readonly kind: 'mixed'; readonly because: string }
  /** `isPassing`: another time may find more. */
  | { readonly kind: 'unknown'; readonly because: string; readonly isPassing?: boolean };

export type ProbeOptions = {
  /** The most rows that a run may have. */
  readonly rowsMax: number;
  readonly random: Random;
};

type Probe<T> = Generator<ProbeRun, T, ProbeReply>;

/** Tried one after the other for all free dimensions but the first: a length, a picture's side, a width of features. */
const FREE_SIZES = [8, 1, 16, 32, 64, 128, 224] as const;
/** Whole numbers may be classes, tokens, places, or flags. */
const BELOW = [10, 2] as const;
/** Bytes of one probed run's inputs. */
const RUN_BYTES_MAX = 64 * 1024 * 1024;
/** Rows of the runs in which neighbours vary. */
const ROWS = 4;
/** The fillings of neighbours, in addition to the ordinary ones that they are compared with. */
const NEIGHBOURS: readonly Filling[] = ['wide', 'zeros', 'huge', 'NaN'];
/** Other numbers of rows; each is left out where a run of it would take longer than `RUN_MS_MAX`. */
const SIZES = [2, 3, 7, 16, 32] as const;
/** A probe whose runs take longer than this would hold up a start by more than some seconds. */
const RUN_MS_MAX = 400;
/** A machine that loads many models in parallel is slow now and then: a run that takes long is timed again so many times. */
const TIMED_AGAIN = 3;

/** Asks for some 30 runs of up to 4 rows, and fewer larger ones while they are fast. */
export function* probeRows(signature: Signature, options: ProbeOptions): Probe<ProbeFinding> {
  const { inputs } = signature;
  const strings = inputs.find(({ dtype }) => dtype === 'BYTES');
  if (strings !== undefined) {
    return {
      kind: 'unknown',
      because: `input '${strings.name}' takes strings, which cannot be made up`,
    };
  }
  const target = yield* findTarget(signature, options.random);
  if ('because' in target) return { kind: 'unknown', because: target.because };
  const rows = Math.min(ROWS, options.rowsMax);
  const tooLong = yield* timeRuns(target, { rows, position: 0, random: options.random });
  if (tooLong !== undefined) return { kind: 'unknown', because: tooLong, isPassing: true };
  try {
    for (const position of new Set([0, 1, rows - 1])) {
      const because = yield* probeNeighbours(target, { rows, position, random: options.random });
      if (because !== undefined) return { kind: 'mixed', because };
    }
    const because = yield* probeSizes(target, options);
    return because === undefined ? { kind: 'apart' } : { kind: 'mixed', because };
  } catch (error) {
    if (error instanceof ScatterError) return { kind: 'mixed', because: error.message };
    throw error;
  }
}

/** A row that the model answers, and its lone answer. */
type Target = {
  readonly form: RowForm;
  readonly row: Row;
  readonly alone: readonly Tensor[];
  /** The least that a row has taken so far, alone or among others. */
  rowMs: number;
};

function* findTarget({ inputs }: Signature, random: Random): Probe<Target | { because: string }> {
  const isFree = inputs.some(({ shape }) => shape.slice(1).includes(-1));
  let refusal = 'no row is small enough';
  for (const free of isFree ? FREE_SIZES : [1]) {
    for (const below of BELOW) {
      const form = { specs: inputs, free, below };
      if (rowBytesOf(form) * ROWS > RUN_BYTES_MAX) continue;
      const row = rowOf(form, 'ordinary', random);
      const reply = yield { tensors: batchOf(form, [row]), rows: 1 };
      if (reply.kind === 'failed') {
        refusal = reply.message;
        continue;
      }
      return { form, row, alone: reply.outputs, rowMs: reply.ms };
    }
  }
  return { because: `it answers no made-up row (${refusal})` };
}

/** Resolves with why the runs of the probe would take too long, if they would: one row first, then all of them. */
function* timeRuns(target: Target, placing: Placing): Probe<string | undefined> {
  if (target.rowMs * placing.rows <= RUN_MS_MAX) return undefined;
  const alone: ProbeRun = { tensors: batchOf(target.form, [target.row]), rows: 1 };
  const among = batchWith(target, { ...placing, filling: 'ordinary' });
  for (const run of [alone, among]) {
    let ms = run === alone ? target.rowMs : Number.POSITIVE_INFINITY;
    for (let times = 0; times < TIMED_AGAIN && ms > RUN_MS_MAX; times += 1) {
      const reply = yield* timed(target, run);
      // What cannot be run is found, with the reason, by the probe itself.
      ms = reply.kind === 'failed' ? 0 : Math.min(ms, reply.ms);
    }
    if (ms > RUN_MS_MAX) {
      const what = run.rows === 1 ? 'a row takes' : `${run.rows} rows take`;
      return `${what} ${Math.round(ms)} ms, too long for a probe; \`batch.rowsMax\` declares it`;
    }
  }
  return undefined;
}

function* timed(target: Target, run: ProbeRun): Probe<ProbeReply> {
  const reply = yield run;
  if (reply.kind === 'outputs') target.rowMs = Math.min(target.rowMs, reply.ms / run.rows);
  return reply;
}

type Placing = { readonly rows: number; readonly position: number; readonly random: Random };

/** Same number of rows, same position, other neighbours: equal to the bit. Resolves with what is not. */
function* probeNeighbours(
  target: Target,
  { rows, position, random }: Placing,
): Probe<string | undefined> {
  const runWith = (filling: Filling) => batchWith(target, { rows, position, random, filling });
  const ordinary = runWith('ordinary');
  const first = yield* timed(target, ordinary);
  if (first.kind === 'failed') return `a run of ${rows} rows failed: ${first.message}`;
  const expected = answerAt(first.outputs, position, rows);
  const lone = differenceOf(target.alone, expected, scalesOf(first.outputs));
  if (lone !== undefined) return `among ${rows} rows ${lone}`;
  const again = yield* timed(target, ordinary);
  const noise =
    again.kind === 'failed' ? [] : noiseOf(expected, answerAt(again.outputs, position, rows));
  if (noise.includes(Number.POSITIVE_INFINITY)) return 'the same run twice gives two answers';
  for (const filling of NEIGHBOURS) {
    if ((filling === 'huge' || filling === 'NaN') && !hasFloats(target.form)) continue;
    const reply = yield* timed(target, runWith(filling));
    // What a model refuses fails a run as a whole, and then each request runs again alone.
    if (reply.kind === 'failed') continue;
    const difference = bitDifferenceOf(expected, answerAt(reply.outputs, position, rows), noise);
    if (difference !== undefined)
      return `${difference} when only its neighbours change (${filling})`;
  }
  return undefined;
}

/** Other numbers of rows: equal but for rounding. Resolves with what is not. */
function* probeSizes(target: Target, { rowsMax, random }: ProbeOptions): Probe<string | undefined> {
  const { form, alone } = target;
  for (const rows of SIZES) {
    if (
      rows > rowsMax ||
      rows * target.rowMs > RUN_MS_MAX ||
      rows * rowBytesOf(form) > RUN_BYTES_MAX
    )
      continue;
    const position = random.integer(rows);
    const run = batchWith(target, { rows, position, random, filling: 'ordinary' });
    const reply = yield* timed(target, run);
    if (reply.kind === 'failed') return `a run of ${rows} rows failed: ${reply.message}`;
    const found = answerAt(reply.outputs, position, rows);
    const difference = differenceOf(alone, found, scalesOf(reply.outputs));
    if (difference !== undefined) return `among ${rows} rows ${difference}`;
  }
  return undefined;
}

type Neighbourhood = Placing & { readonly filling: Filling };

function batchWith(
  { form, row }: Target,
  { rows, position, random, filling }: Neighbourhood,
): ProbeRun {
  const neighbours = Array.from({ length: rows }, (_, at) =>
    at === position ? row : rowOf(form, filling, random),
  );
  return { tensors: batchOf(form, neighbours), rows };
}

/** One row's share of a run. Throws ScatterError where the outputs have no row for each. */
function answerAt(outputs: readonly Tensor[], position: number, rows: number): readonly Tensor[] {
  const ranges = Array.from({ length: rows }, (_, start) => ({ start, rows: 1 }));
  return scatter(outputs, ranges)[position] ?? [];
}
