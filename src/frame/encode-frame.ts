import { SERVE_ERROR_CODES, ServeError } from '../core/errors.ts';
import type { RequestContext } from '../core/infer.ts';
import type { Observation } from '../core/outcome.ts';
import type { OutboundTensor } from '../core/tensor.ts';
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
import { u32At } from './head-reader.ts';
import { dataBytes, HeadWriter } from './head-writer.ts';

type Data = OutboundTensor['data'];

const PRIORITY_MAX = 0xffff_ffff;
const NO_NAMES: readonly string[] = [];
const NO_PADDING = Buffer.alloc(8);
const writer = new HeadWriter();

/** Up to here, a frame costs less to copy than to hand on in pieces. */
const COPIED_BYTES_MAX = 4096;

/**
 * The frame as pieces to be written one after another; the tensors of large frames are not copied.
 * @throws ServeError `too_large` where the frame is over `FRAME_BYTES_MAX`, or a name or number in it over what the format takes.
 */
export function encodeChunks(frame: Frame<OutboundTensor>, clock: FrameClock): Uint8Array[] {
  const data = writeHead(frame, clock);
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

/** The frame in one ArrayBuffer of its own, which may be transferred to another thread. Throws as `encodeChunks` does. */
export function encodeBuffer(
  frame: Frame<OutboundTensor>,
  clock: FrameClock,
): Uint8Array<ArrayBuffer> {
  const data = writeHead(frame, clock);
  const head = writer.written();
  const bytes = new Uint8Array(u32At(head, 0));
  copyInto(bytes, head, data);
  return bytes;
}

function copyInto(bytes: Uint8Array, head: Uint8Array, data: readonly Data[]): void {
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

/** Fills the shared writer with header, head and padding; returns the data to follow. */
function writeHead(frame: Frame<OutboundTensor>, clock: FrameClock): Data[] {
  const data: Data[] = [];
  writer.reset(FRAME_HEADER_BYTES);
  writeBody(frame, data, clock);
  const headBytes = writer.end - FRAME_HEADER_BYTES;
  while (writer.end % 8 !== 0) writer.u8(0);
  let length = writer.end;
  for (const piece of data) length += padded(dataBytes(piece));
  if (length > FRAME_BYTES_MAX) {
    throw new ServeError(
      'too_large',
      `tensors and their names: expected at most ${FRAME_BYTES_MAX} bytes, found ${length}`,
    );
  }
  writer.u32At(0, length);
  writer.u32At(4, FRAME_KINDS.indexOf(frame.kind) | (FORMAT << 8));
  writer.u32At(8, 'correlation' in frame ? frame.correlation : 0);
  writer.u32At(12, headBytes);
  return data;
}

function writeBody(frame: Frame<OutboundTensor>, data: Data[], clock: FrameClock): void {
  switch (frame.kind) {
    case 'request':
      writePlan(frame.plan);
      writeContext(frame.work, clock.monotonicMs());
      writeWork(frame.work, data);
      return;
    case 'answer':
      writer.f64(frame.answer.queueMs);
      writer.f64(frame.answer.batch.id);
      writer.u32(frame.answer.batch.rows);
      writeRuns(frame.answer.runs, data);
      return;
    case 'failure':
      writer.u8(SERVE_ERROR_CODES.indexOf(frame.code));
      writer.text(frame.message);
      writer.f64(frame.retryAfterMs ?? Number.NaN);
      writer.u8(frame.stuckSource ?? NO_SOURCE);
      return;
    case 'cancel':
      return;
    case 'control':
      writer.text(JSON.stringify(frame.body));
      return;
    case 'stored':
      writer.u32(frame.at);
      writer.u32(frame.bytes);
      return;
    case 'job':
      writePlan(frame.plan);
      writeContexts(frame.requests, clock);
      writer.u32(frame.scannedRows.length);
      for (const rows of frame.scannedRows) writer.u32(rows);
      writeTensors(frame.tensors, data);
      return;
    case 'result':
      writeRuns(frame.runs, data);
      writeHits(frame.nonFinite);
      return;
  }
}

function writeHits(hits: readonly NonFiniteHit[]): void {
  writer.u32(hits.length);
  for (const { run, request, output } of hits) {
    writer.u8(run);
    writer.u32(request);
    writer.text(output);
  }
}

function writeContexts(requests: readonly RequestContext[], clock: FrameClock): void {
  writer.u32(requests.length);
  if (requests.length === 0) return;
  const nowMs = clock.monotonicMs();
  for (const request of requests) writeContext(request, nowMs);
}

function writeContext(context: RequestContext, nowMs: number): void {
  writer.text(context.id);
  writer.optionalText(context.traceparent);
  writer.optionalText(context.caller);
  writer.f64(context.deadlineMs - nowMs);
}

function writeWork({ priority, scan, outputs, inputs }: Work, data: Data[]): void {
  // No queue has so many levels: beyond, one is as unknown as another.
  writer.u32(Math.min(priority, PRIORITY_MAX));
  writer.u8(scan === true ? 1 : 0);
  if (outputs === undefined) writer.u32(ALL_OUTPUTS);
  else writeNames(outputs);
  writeTensors(inputs, data);
}

function writeNames(names: readonly string[]): void {
  writer.u32(names.length);
  for (const name of names) writer.text(name);
}

function writePlan(plan: readonly number[]): void {
  writer.u8(plan.length);
  for (const source of plan) writer.u8(source);
}

function writeRuns(runs: readonly Observation[], data: Data[]): void {
  writer.u8(runs.length);
  for (const run of runs) {
    if (run.kind === 'answer') {
      writer.u8(0);
      writer.f64(run.computeMs);
      writeTensors(run.outputs, data);
      writeNames(run.nonFinite ?? NO_NAMES);
    } else {
      writer.u8(1);
      writer.u8(SERVE_ERROR_CODES.indexOf(run.code));
      writer.text(run.message);
    }
  }
}

function writeTensors(tensors: readonly OutboundTensor[], data: Data[]): void {
  writer.u32(tensors.length);
  for (const tensor of tensors) {
    writer.tensor(tensor);
    data.push(tensor.data);
  }
}
