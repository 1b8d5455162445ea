import { SERVE_ERROR_CODES, type ServeErrorCode } from '../core/errors.ts';
import type { Observation } from '../core/outcome.ts';
import type { Tensor } from '../core/tensor.ts';
import {
  ALL_OUTPUTS,
  FORMAT,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FRAME_KINDS,
  type Frame,
  padded,
} from './frame.ts';
import { excerpt, FrameError } from './frame-error.ts';
import { HeadReader, type TensorHead, u32At } from './head-reader.ts';

/** Reads one whole frame. Tensors are views of `bytes`. Throws FrameError. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { kind, correlation, headEnd } = readHeader(buffer);
  const head = new HeadReader(buffer, FRAME_HEADER_BYTES, headEnd);
  const views = new DataViews(buffer, padded(headEnd));
  const frame = decodeBody({ kind, correlation, head, views });
  if (correlation !== 0 && !('correlation' in frame)) {
    throw new FrameError(`expected correlation 0 in a frame '${kind}', found ${correlation}`);
  }
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
  const kind = FRAME_KINDS[bytes[4] as number];
  if (kind === undefined || bytes[5] !== FORMAT) {
    throw new FrameError(
      `expected a kind below ${FRAME_KINDS.length} in format ${FORMAT}, found kind ${bytes[4]} in format ${bytes[5]}`,
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
    this.#at += padded(bytes);
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
      return { kind, correlation, queueMs, batch, runs: readRuns(head, views) };
    }
    case 'failure': {
      const code = readCode(head);
      const message = head.text('message');
      return { kind, correlation, code, message, retryAfterMs: readOptionalMs(head) };
    }
    case 'cancel':
      return { kind, correlation };
    case 'control':
      return { kind, body: readJson(head.text('control message')) };
    case 'stored':
      return { kind, at: head.u32('place'), bytes: head.u32('length') };
    case 'job':
      return { kind, plan: readPlan(head), tensors: readTensors(head, views) };
    case 'result':
      return { kind, runs: readRuns(head, views) };
  }
}

function readOptionalMs(head: HeadReader): number | undefined {
  const ms = head.f64('retry time');
  return Number.isNaN(ms) ? undefined : ms;
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

function readRuns(head: HeadReader, views: DataViews): Observation[] {
  const runs: Observation[] = [];
  for (let left = head.u8('number of runs'); left > 0; left -= 1) runs.push(readRun(head, views));
  return runs;
}

function readRun(head: HeadReader, views: DataViews): Observation {
  const kind = head.u8('kind of run');
  if (kind === 0) {
    const computeMs = head.f64('compute time');
    return { kind: 'answer', computeMs, outputs: readTensors(head, views) };
  }
  if (kind !== 1) throw new FrameError(`expected a kind of run of 0 or 1, found ${kind}`);
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
