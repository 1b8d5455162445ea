import { SERVE_ERROR_CODES, type ServeErrorCode } from '../core/errors.ts';
import type { RequestContext } from '../core/infer.ts';
import type { Observation } from '../core/outcome.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Work } from '../core/work.ts';
import {
  ALL_OUTPUTS,
  FORMAT,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FRAME_KINDS,
  type Frame,
  type FrameClock,
  NO_SOURCE,
  type NonFiniteHit,
  padded,
} from './frame.ts';
import { excerpt, FrameError } from './frame-error.ts';
import { HeadReader, type TensorHead, u32At } from './head-reader.ts';

/** Reads one whole frame. Tensors are views of `bytes`. Throws FrameError. */
export function decodeFrame(bytes: Uint8Array, clock: FrameClock): Frame {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const body = openBody(buffer, clock);
  const frame = decodeBody(body);
  const { kind, correlation } = body;
  if (correlation !== 0 && !('correlation' in frame)) {
    throw new FrameError(`expected correlation 0 in a frame '${kind}', found ${correlation}`);
  }
  body.head.finish();
  body.views.finish();
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

type Body = {
  readonly kind: Frame['kind'];
  readonly correlation: number;
  readonly head: HeadReader;
  readonly views: DataViews;
  readonly clock: FrameClock;
};

/** Reads and checks the header. */
function openBody(bytes: Buffer, clock: FrameClock): Body {
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
  const head = new HeadReader(bytes, FRAME_HEADER_BYTES, headEnd);
  const views = new DataViews(bytes, padded(headEnd));
  return { kind, correlation: u32At(bytes, 8), head, views, clock };
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

function decodeBody(body: Body): Frame {
  const { kind, correlation, head, views, clock } = body;
  switch (kind) {
    case 'request':
      return { kind, correlation, plan: readPlan(head), work: readWork(body) };
    case 'answer': {
      const queueMs = head.f64('queue time');
      const batch = { id: head.f64('batch id'), rows: head.u32('batch rows') };
      return { kind, correlation, answer: { queueMs, batch, runs: readRuns(head, views) } };
    }
    case 'failure': {
      const code = readCode(head);
      const message = head.text('message');
      const retryAfterMs = readOptionalMs(head);
      const source = head.u8('source');
      const stuckSource = source === NO_SOURCE ? undefined : source;
      return { kind, correlation, code, message, retryAfterMs, stuckSource };
    }
    case 'cancel':
      return { kind, correlation };
    case 'control':
      return { kind, body: readJson(head.text('control message')) };
    case 'stored':
      return { kind, at: head.u32('place'), bytes: head.u32('length') };
    case 'job': {
      const plan = readPlan(head);
      const requests = readContexts(head, clock);
      const scannedRows = readNumbers(head, 'rows of a request');
      return { kind, plan, requests, scannedRows, tensors: readTensors(head, views) };
    }
    case 'result':
      return { kind, runs: readRuns(head, views), nonFinite: readHits(head) };
  }
}

function readNumbers(head: HeadReader, what: string): number[] {
  const numbers: number[] = [];
  // A lying count runs out of head before it runs out of memory.
  for (let left = head.u32(`number of ${what}`); left > 0; left -= 1) numbers.push(head.u32(what));
  return numbers;
}

function readHits(head: HeadReader): NonFiniteHit[] {
  const hits: NonFiniteHit[] = [];
  for (let left = head.u32('number of outputs with NaN'); left > 0; left -= 1) {
    hits.push({
      run: head.u8('run'),
      request: head.u32('place of a request'),
      output: head.text('output name'),
    });
  }
  return hits;
}

function readOptionalMs(head: HeadReader): number | undefined {
  const ms = head.f64('retry time');
  return Number.isNaN(ms) ? undefined : ms;
}

/** In one object, which goes through the queue of a host as it is. */
function readWork({ head, views, clock }: Body): Work {
  return {
    id: head.text('request id'),
    traceparent: head.optionalText('traceparent'),
    caller: head.optionalText('caller'),
    deadlineMs: clock.monotonicMs() + head.f64('remaining time'),
    priority: head.u32('priority'),
    scan: head.u8('scan') === 1,
    outputs: readOutputNames(head),
    inputs: readTensors(head, views),
  };
}

function readContexts(head: HeadReader, clock: FrameClock): RequestContext[] {
  const requests: RequestContext[] = [];
  for (let left = head.u32('number of requests'); left > 0; left -= 1) {
    requests.push({
      id: head.text('request id'),
      traceparent: head.optionalText('traceparent'),
      caller: head.optionalText('caller'),
      deadlineMs: clock.monotonicMs() + head.f64('remaining time'),
    });
  }
  return requests;
}

/** What nearly every host runs, which then needs no list for each request. */
const FIRST_ALONE: readonly number[] = [0];

function readPlan(head: HeadReader): readonly number[] {
  const length = head.u8('length of the plan');
  if (length === 1) {
    const source = head.u8('plan');
    return source === 0 ? FIRST_ALONE : [source];
  }
  const plan: number[] = [];
  for (let left = length; left > 0; left -= 1) plan.push(head.u8('plan'));
  return plan;
}

function readOutputNames(head: HeadReader): string[] | undefined {
  const count = head.u32('number of outputs');
  return count === ALL_OUTPUTS ? undefined : readNames(head, count);
}

function readNames(head: HeadReader, count: number): string[] {
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
    const outputs = readTensors(head, views);
    const named = head.u32('number of outputs with NaN');
    if (named === 0) return { kind: 'answer', computeMs, outputs };
    return { kind: 'answer', computeMs, outputs, nonFinite: readNames(head, named) };
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
