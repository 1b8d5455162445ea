import { splitByteStrings } from '../core/byte-strings.ts';
import type { BatchInfo } from '../core/infer.ts';
import type { Observation } from '../core/outcome.ts';
import type { OutboundTensor } from '../core/tensor.ts';
import { byteLengthOf, elementCount, type Tensor } from '../core/tensor.ts';

/** One request as the batcher sees it. */
export type Work = {
  readonly id: string;
  readonly inputs: readonly Tensor[];
  /** The outputs that are wanted, in this order; undefined: all. */
  readonly outputs: readonly string[] | undefined;
  /** Which sources to run, in this order. Only requests of one plan share a batch. */
  readonly plan: readonly number[];
  /** 0: the queue's default level; else 1 (most urgent) and up. */
  readonly priority: number;
  /** On the batcher's clock. */
  readonly deadlineMs: number;
};

/** What became of one request: an observation for each entry of its plan. */
export type Answer = {
  readonly runs: readonly Observation[];
  readonly queueMs: number;
  readonly batch: BatchInfo;
};

/** Runs one batch on a replica. `takenMs`: how long the replica was taken by it, not counting what it waited behind. */
export type RunBatch = (
  tensors: readonly OutboundTensor[],
  plan: readonly number[],
) => Promise<{ readonly runs: readonly Observation[]; readonly takenMs: number }>;

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
export function mayShare(a: Work, b: Work): boolean {
  if (a.inputs.length !== b.inputs.length || !samePlan(a.plan, b.plan)) return false;
  return a.inputs.every((input, at) => {
    const other = b.inputs[at];
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
