import type { Clock } from '../core/clock.ts';
import type { ServeErrorCode } from '../core/errors.ts';
import type { RequestContext } from '../core/infer.ts';
import type { Observation } from '../core/outcome.ts';
import type { OutboundTensor, Tensor } from '../core/tensor.ts';
import type { Answer, Planned } from '../core/work.ts';

/**
 * The one binary frame that carries requests and answers over sockets and batches over worker ports. Little-endian:
 *
 *     0  u32  length of the whole frame, a multiple of 8
 *     4  u8   kind, u8 format (1), u16 zero
 *     8  u32  correlation: an answer carries the number of its request; zero in kinds that answer nothing
 *    12  u32  length of the head
 *    16       head: numbers and names, then zeros up to a multiple of 8
 *             data of each tensor in the order of the head, each followed by zeros up to a multiple of 8
 *
 * So a tensor begins at a multiple of 8 where the frame does, and a view of it needs no copy. Moments mean nothing on the clock of
 * another process or thread: a deadline crosses as what is left of it.
 */
export const FRAME_HEADER_BYTES = 16;
/** Bytes of one frame. Beyond: ServeError `too_large` where it is written, FrameError where it is read. */
export const FRAME_BYTES_MAX = 1024 * 1024 * 1024;

export const FORMAT = 1;
/** In the place of a number of outputs. */
export const ALL_OUTPUTS = 0xffff_ffff;
/** In the place of a source. */
export const NO_SOURCE = 0xff;

/** A kind's place in this list is its number in a frame. */
export const FRAME_KINDS = [
  'request',
  'answer',
  'failure',
  'cancel',
  'control',
  'stored',
  'job',
  'result',
] as const satisfies readonly Frame['kind'][];

/** Please run this, on the receiver's sources. */
export type RequestFrame = Planned & { readonly kind: 'request'; readonly correlation: number };

export type AnswerFrame = {
  readonly kind: 'answer';
  readonly correlation: number;
  readonly answer: Answer;
};

/** The request was not run at all. */
export type FailureFrame = {
  readonly kind: 'failure';
  readonly correlation: number;
  readonly code: ServeErrorCode;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
  /** Of a run that was given up: which source was running. */
  readonly stuckSource: number | undefined;
};

/** This request was cancelled. */
export type CancelFrame = { readonly kind: 'cancel'; readonly correlation: number };

/** Rare messages between the two ends, as JSON. */
export type ControlFrame = { readonly kind: 'control'; readonly body: unknown };

/** A doorbell: a frame of so many bytes lies in the memory that both ends share. What `at` counts is theirs to know. */
export type StoredFrame = {
  readonly kind: 'stored';
  readonly at: number;
  readonly bytes: number;
};

/** A batch for a worker thread. A thread has few in its hands and answers each through its own port, so none has a number. */
export type JobFrame<T extends OutboundTensor = Tensor> = {
  readonly kind: 'job';
  /** Which of the thread's sources to run, in this order. */
  readonly plan: readonly number[];
  /** Those that the batch is run for, in the order of their rows; none: no caller waits for it. */
  readonly requests: readonly RequestContext[];
  /** Rows of each request, where the answers are to be looked through for NaN and infinities; none: they are not. */
  readonly scannedRows: readonly number[];
  readonly tensors: readonly T[];
};

/** Of a batch: the entry of the plan, the place of the request, and its output in which a NaN or an infinity was found. */
export type NonFiniteHit = {
  readonly run: number;
  readonly request: number;
  readonly output: string;
};

/** What a worker thread made of its job: one observation for each entry of the plan. */
export type ResultFrame = {
  readonly kind: 'result';
  readonly runs: readonly Observation[];
  readonly nonFinite: readonly NonFiniteHit[];
};

export type Frame<T extends OutboundTensor = Tensor> =
  | RequestFrame
  | AnswerFrame
  | FailureFrame
  | CancelFrame
  | ControlFrame
  | StoredFrame
  | JobFrame<T>
  | ResultFrame;

/** The clock of the end that writes or reads a frame: a deadline is a moment on it. */
export type FrameClock = Pick<Clock, 'monotonicMs'>;

/** Bytes of data with the zeros behind them: the next multiple of 8. */
export function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
