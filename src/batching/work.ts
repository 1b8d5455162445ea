import { splitByteStrings } from '../core/byte-strings.ts';
import type { RequestContext } from '../core/infer.ts';
import type { Observation } from '../core/outcome.ts';
import type { OutboundTensor } from '../core/tensor.ts';
import { byteLengthOf, elementCount, type Tensor } from '../core/tensor.ts';
import type { Planned, Work } from '../core/work.ts';

/**
 * Runs one batch on a replica: each source of the plan, in this order. `requests` of the callers are those it is run for; absent: no
 * caller waits. Where `scannedRows` says how many rows each of them has, their answers are looked through for NaN and infinities.
 * `takenMs`: how long the replica was taken by it, not counting what it waited behind.
 */
export type RunBatch = (
  tensors: readonly OutboundTensor[],
  plan: readonly number[],
  callers?: {
    readonly requests: readonly RequestContext[];
    readonly scannedRows: readonly number[];
  },
) => Promise<BatchResult>;

/** What came of one batch: an observation for each entry of its plan. */
export type BatchResult = {
  readonly runs: readonly Observation[];
  /** Where a NaN or an infinity was found: the entry of the plan, the place of the request, the output. Absent: nowhere. */
  readonly nonFinite?: readonly {
    readonly run: number;
    readonly request: number;
    readonly output: string;
  }[];
  readonly takenMs: number;
};

/** Rows that a request brings to a batch: the first dimension of its first input; 1 where it has none. */
export function rowsOf(work: Work): number {
  return work.inputs[0]?.shape[0] ?? 1;
}

/** Bytes of all inputs. */
export function bytesOf(work: Work): number {
  let bytes = 0;
  for (const input of work.inputs) bytes += input.data.byteLength;
  return bytes;
}

/**
 * True if every input has the same number of rows and exactly the data that its shape promises. Only such requests may be put
 * in a row: one that brings a row too many and one that lacks it would make a batch that runs, each with the other's data.
 */
export function mayBeJoined(work: Work): boolean {
  const rows = work.inputs[0]?.shape[0];
  return work.inputs.every((input) => input.shape[0] === rows && hasPromisedData(input));
}

function hasPromisedData({ dtype, shape, data }: Tensor): boolean {
  const bytes = byteLengthOf(dtype, shape);
  if (bytes !== undefined) return bytes === data.byteLength;
  try {
    return splitByteStrings(data).length === elementCount(shape);
  } catch {
    return false;
  }
}

/** True if two requests may share a run: the same plan and, row for row, the same tensors. */
export function mayShare(a: Planned, b: Planned): boolean {
  const ours = a.work.inputs;
  const theirs = b.work.inputs;
  if (ours.length !== theirs.length || !samePlan(a.plan, b.plan)) return false;
  return ours.every((input, at) => {
    const other = theirs[at];
    return other !== undefined && sameRow(input, other);
  });
}

function samePlan(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((source, at) => source === b[at]));
}

function sameRow(a: Tensor, b: Tensor): boolean {
  if (a.name !== b.name || a.dtype !== b.dtype || a.shape.length !== b.shape.length) return false;
  for (let axis = 1; axis < a.shape.length; axis += 1) {
    if (a.shape[axis] !== b.shape[axis]) return false;
  }
  return true;
}
