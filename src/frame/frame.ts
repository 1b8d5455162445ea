import { SERVE_ERROR_CODES, type ServeErrorCode } from '../core/errors.ts';
import type { BatchInfo } from '../core/infer.ts';
import type { Observation } from '../core/outcome.ts';
import type { OutboundTensor, Tensor } from '../core/tensor.ts';
import {
  dataBytes,
  excerpt,
  FrameError,
  HeadReader,
  HeadWriter,
  type TensorHead,
  u32At,
} from './frame-bytes.ts';

/**
 * The one binary frame that carries requests and answers over worker ports and sockets. Little-endian:
 *
 *     0  u32  length of the whole frame, a multiple of 8
 *     4  u8   kind, u8 format (1), u16 zero
 *     8  u32  correlation: an answer carries the number of its request
 *    12  u32  length of the head
 *    16       head: numbers and names, then zeros up to a multiple of 8
 *             data of each tensor in the order of the head, each followed by zeros up to a multiple of 8
 *
 * So a tensor begins at a multiple of 8 where the frame does, and a view of it needs no copy.
 */
const FRAME_HEADER_BYTES = 16;
export const FRAME_BYTES_MAX = 1024 * 1024 * 1024;

const FORMAT = 1;
const ALL_OUTPUTS = 0xffff_ffff;
const PRIORITY_MAX = 0xffff_ffff;
const KINDS = ['request', 'answer', 'failure', 'cancel', 'control', 'stored'] as const;

/** Please run these tensors. */
export type RequestFrame<T extends OutboundTensor = Tensor> = {
  readonly kind: 'request';
  readonly correlation: number;
  readonly id: string;
  /** What is left until the deadline. A moment would mean nothing on another process's clock. */
  readonly remainingMs: number;
  /** As in the request; the queue knows what the levels are. */
  readonly priority: number;
  /** Which of the receiver's sources to run, in this order. */
  readonly plan: readonly number[];
  readonly outputs: readonly string[] | undefined;
  readonly tensors: readonly T[];
};

/** One observation for each entry of the request's plan. */
export type AnswerFrame = {
  readonly kind: 'answer';
  readonly correlation: number;
  readonly queueMs: number;
  readonly batch: BatchInfo;
  readonly runs: readonly Observation[];
};

/** The request was not run at all. */
export type FailureFrame = {
  readonly kind: 'failure';
  readonly correlation: number;
  readonly code: ServeErrorCode;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
};

/** This request was cancelled. */
export type CancelFrame = { readonly kind: 'cancel'; readonly correlation: number };

/** A doorbell: a frame of so many bytes lies in the memory that both ends share. What `at` counts is theirs to know. */
export type StoredFrame = {
  readonly kind: 'stored';
  readonly correlation: number;
  readonly at: number;
  readonly bytes: number;
};

/** Rare messages between the two ends, as JSON. */
export type ControlFrame = {
  readonly kind: 'control';
  readonly correlation: number;
  readonly body: unknown;
};

export type Frame<T extends OutboundTensor = Tensor> =
  | RequestFrame<T>
  | AnswerFrame
  | FailureFrame
  | CancelFrame
  | StoredFrame
  | ControlFrame;

const NO_PADDING = Buffer.alloc(8);
const writer = new HeadWriter();

/** Up to here, a frame costs less to copy than to hand on in pieces. */
const COPIED_BYTES_MAX = 4096;

/** The frame as pieces to be written one after another; the tensors of large frames are not copied. */
export function encodeChunks(frame: Frame<OutboundTensor>): Uint8Array[] {
  const data = writeHead(frame);
  const head = writer.written();
  const length = u32At(head, 0);
  if (length <= COPIED_BYTES_MAX) {
    const bytes = Buffer.allocUnsafe(length);
    copyInto(bytes, head, data);
    return [bytes];
  }
  const chunks: Uint8Array[] = [Buffer.from(head)];
  for (const piece of data) {
    let bytes = 0;
    for (const part of piece instanceof Uint8Array ? [piece] : piece) {
      chunks.push(part);
      bytes += part.byteLength;
    }
    const padding = padded(bytes) - bytes;
    if (padding > 0) chunks.push(NO_PADDING.subarray(0, padding));
  }
  return chunks;
}

/** The frame in one ArrayBuffer of its own, which may be transferred to another thread. */
export function encodeBuffer(frame: Frame<OutboundTensor>): Uint8Array<ArrayBuffer> {
  const data = writeHead(frame);
  const head = writer.written();
  const bytes = new Uint8Array(u32At(head, 0));
  copyInto(bytes, head, data);
  return bytes;
}

function copyInto(
  bytes: Uint8Array,
  head: Uint8Array,
  data: readonly OutboundTensor['data'][],
): void {
  bytes.set(head, 0);
  let at = head.byteLength;
  for (const piece of data) {
    for (const part of piece instanceof Uint8Array ? [piece] : piece) {
      bytes.set(part, at);
      at += part.byteLength;
    }
    for (const end = padded(at); at < end; at += 1) bytes[at] = 0;
  }
}

/** Reads one whole frame. Tensors are views of `bytes`. Throws FrameError. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { kind, correlation, headEnd } = readHeader(buffer);
  const head = new HeadReader(buffer, FRAME_HEADER_BYTES, headEnd);
  const views = new DataViews(buffer, padded(headEnd));
  const frame = decodeBody({ kind, correlation, head, views });
  head.finish();
  views.finish();
  return frame;
}

/** The length that the frame at this place claims in its first four bytes. Throws FrameError where no frame can be that long. */
export function frameLength(bytes: Uint8Array, at: number, bytesMax: number): number {
  const length = u32At(bytes, at);
  if (length < FRAME_HEADER_BYTES || length % 8 !== 0 || length > bytesMax) {
    throw new FrameError(
      `expected a length of ${FRAME_HEADER_BYTES} to ${bytesMax} that divides by 8, found ${length}`,
    );
  }
  return length;
}

function padded(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** Fills the shared writer with header, head and padding; returns the data to follow. */
function writeHead(frame: Frame<OutboundTensor>): OutboundTensor['data'][] {
  const data: OutboundTensor['data'][] = [];
  writer.reset(FRAME_HEADER_BYTES);
  writeBody(frame, data);
  const headBytes = writer.end - FRAME_HEADER_BYTES;
  while (writer.end % 8 !== 0) writer.u8(0);
  let length = writer.end;
  for (const piece of data) length += Math.ceil(dataBytes(piece) / 8) * 8;
  if (length > FRAME_BYTES_MAX) {
    throw new FrameError(`expected at most ${FRAME_BYTES_MAX} bytes, found ${length}`);
  }
  writer.u32At(0, length);
  writer.u32At(4, KINDS.indexOf(frame.kind) | (FORMAT << 8));
  writer.u32At(8, frame.correlation);
  writer.u32At(12, headBytes);
  return data;
}

function writeBody(frame: Frame<OutboundTensor>, data: OutboundTensor['data'][]): void {
  switch (frame.kind) {
    case 'request':
      writer.text(frame.id);
      writer.f64(frame.remainingMs);
      // No queue has so many levels: beyond, one is as unknown as another.
      writer.u32(Math.min(frame.priority, PRIORITY_MAX));
      writer.u8(frame.plan.length);
      for (const source of frame.plan) writer.u8(source);
      writer.u32(frame.outputs?.length ?? ALL_OUTPUTS);
      for (const name of frame.outputs ?? []) writer.text(name);
      writeTensors(frame.tensors, data);
      return;
    case 'answer':
      writer.f64(frame.queueMs);
      writer.f64(frame.batch.id);
      writer.u32(frame.batch.rows);
      writer.u8(frame.runs.length);
      for (const run of frame.runs) writeRun(run, data);
      return;
    case 'failure':
      writer.u8(SERVE_ERROR_CODES.indexOf(frame.code));
      writer.text(frame.message);
      writer.f64(frame.retryAfterMs ?? Number.NaN);
      return;
    case 'cancel':
      return;
    case 'stored':
      writer.u32(frame.at);
      writer.u32(frame.bytes);
      return;
    case 'control':
      writer.text(JSON.stringify(frame.body));
      return;
  }
}

function writeRun(run: Observation, data: OutboundTensor['data'][]): void {
  if (run.kind === 'answer') {
    writer.u8(0);
    writer.f64(run.computeMs);
    writeTensors(run.outputs, data);
  } else {
    writer.u8(1);
    writer.u8(SERVE_ERROR_CODES.indexOf(run.code));
    writer.text(run.message);
  }
}

function writeTensors(tensors: readonly OutboundTensor[], data: OutboundTensor['data'][]): void {
  writer.u32(tensors.length);
  for (const tensor of tensors) {
    writer.tensor(tensor);
    data.push(tensor.data);
  }
}

type Header = { kind: Frame['kind']; correlation: number; headEnd: number };

function readHeader(bytes: Buffer): Header {
  if (bytes.byteLength < FRAME_HEADER_BYTES) {
    throw new FrameError(
      `expected a header of ${FRAME_HEADER_BYTES} bytes, found ${bytes.byteLength}`,
    );
  }
  const length = frameLength(bytes, 0, FRAME_BYTES_MAX);
  if (length !== bytes.byteLength) {
    throw new FrameError(`expected ${length} bytes, found ${bytes.byteLength}`);
  }
  const kind = KINDS[bytes[4] as number];
  if (kind === undefined || bytes[5] !== FORMAT) {
    throw new FrameError(
      `expected a kind below ${KINDS.length} in format ${FORMAT}, found kind ${bytes[4]} in format ${bytes[5]}`,
    );
  }
  const headEnd = FRAME_HEADER_BYTES + u32At(bytes, 12);
  if (headEnd > length) {
    throw new FrameError(`expected the head within ${length} bytes, found it to end at ${headEnd}`);
  }
  return { kind, correlation: u32At(bytes, 8), headEnd };
}

/** Cuts the data part into tensors, in order. */
class DataViews {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  take(head: TensorHead): Tensor {
    const { name, dtype, shape, bytes } = head;
    const left = this.#bytes.byteLength - this.#at;
    if (bytes > left) {
      throw new FrameError(`expected ${bytes} bytes of tensor ${excerpt(name)}, found ${left}`);
    }
    const start = this.#bytes.byteOffset + this.#at;
    this.#at += Math.ceil(bytes / 8) * 8;
    return { name, dtype, shape, data: new Uint8Array(this.#bytes.buffer, start, bytes) };
  }

  finish(): void {
    const left = this.#bytes.byteLength - this.#at;
    if (left !== 0) throw new FrameError(`expected the data to end, found ${left} more bytes`);
  }
}

type Body = { kind: Frame['kind']; correlation: number; head: HeadReader; views: DataViews };

function decodeBody({ kind, correlation, head, views }: Body): Frame {
  switch (kind) {
    case 'request': {
      const id = head.text('request id');
      const remainingMs = head.f64('remaining time');
      const priority = head.u32('priority');
      const plan = readPlan(head);
      const outputs = readOutputNames(head);
      const tensors = readTensors(head, views);
      return { kind, correlation, id, remainingMs, priority, plan, outputs, tensors };
    }
    case 'answer': {
      const queueMs = head.f64('queue time');
      const batch = { id: head.f64('batch id'), rows: head.u32('batch rows') };
      const runs: Observation[] = [];
      for (let left = head.u8('number of runs'); left > 0; left -= 1) {
        runs.push(readRun(head, views));
      }
      return { kind, correlation, queueMs, batch, runs };
    }
    case 'failure': {
      const code = readCode(head);
      const message = head.text('message');
      const retryAfterMs = head.f64('retry time');
      return {
        kind,
        correlation,
        code,
        message,
        retryAfterMs: Number.isNaN(retryAfterMs) ? undefined : retryAfterMs,
      };
    }
    case 'cancel':
      return { kind, correlation };
    case 'stored':
      return { kind, correlation, at: head.u32('place'), bytes: head.u32('length') };
    case 'control':
      return { kind, correlation, body: readJson(head.text('control message')) };
  }
}

function readPlan(head: HeadReader): number[] {
  const plan: number[] = [];
  for (let left = head.u8('length of the plan'); left > 0; left -= 1) plan.push(head.u8('plan'));
  return plan;
}

function readOutputNames(head: HeadReader): string[] | undefined {
  const count = head.u32('number of outputs');
  if (count === ALL_OUTPUTS) return undefined;
  const names: string[] = [];
  // A lying count runs out of head before it runs out of memory.
  for (let left = count; left > 0; left -= 1) names.push(head.text('output name'));
  return names;
}

function readTensors(head: HeadReader, views: DataViews): Tensor[] {
  const tensors: Tensor[] = [];
  for (let left = head.u32('number of tensors'); left > 0; left -= 1) {
    tensors.push(views.take(head.tensor()));
  }
  return tensors;
}

function readRun(head: HeadReader, views: DataViews): Observation {
  if (head.u8('kind of run') === 0) {
    const computeMs = head.f64('compute time');
    return { kind: 'answer', computeMs, outputs: readTensors(head, views) };
  }
  return { kind: 'failure', code: readCode(head), message: head.text('message') };
}

function readCode(head: HeadReader): ServeErrorCode {
  const index = head.u8('error code');
  const code = SERVE_ERROR_CODES[index];
  if (code === undefined) {
    throw new FrameError(
      `expected an error code below ${SERVE_ERROR_CODES.length}, found ${index}`,
    );
  }
  return code;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FrameError(`expected JSON, found ${excerpt(text)}`);
  }
}
