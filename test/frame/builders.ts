import fc from 'fast-check';
import { SERVE_ERROR_CODES } from '../../src/core/errors.ts';
import type { RequestContext } from '../../src/core/infer.ts';
import type { Observation } from '../../src/core/outcome.ts';
import { DTYPES, type OutboundTensor, type Tensor } from '../../src/core/tensor.ts';
import type { Work } from '../../src/core/work.ts';
import { decodeFrame } from '../../src/frame/decode-frame.ts';
import { encodeBuffer, encodeChunks } from '../../src/frame/encode-frame.ts';
import type { Frame, FrameClock, RequestFrame } from '../../src/frame/frame.ts';

export type FrameKind = Frame['kind'];
type FrameOf<K extends FrameKind> = Extract<Frame, { readonly kind: K }>;

/** Objects as we write them, with the usual prototype. */
function aRecord<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const aText = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 9 }));
/** No negative zero: what is left until 0 is 0. */
const aNumber = fc.double({ noNaN: true }).map((value) => value + 0);
const aU32 = fc.nat(0xffff_ffff);
const aCode = fc.constantFrom(...SERVE_ERROR_CODES);
const aPlan = fc.array(fc.nat(255), { maxLength: 3 });
const tensors = fc.array(
  aRecord<Tensor>({
    name: aText,
    dtype: fc.constantFrom(...DTYPES),
    shape: fc.array(aU32, { maxLength: 5 }),
    data: fc.uint8Array({ maxLength: 100 }).map((bytes) => Uint8Array.from(bytes)),
  }),
  { maxLength: 4 },
);
const runs = fc.array(
  fc.oneof(
    aRecord<Observation>({ kind: fc.constant('answer'), outputs: tensors, computeMs: aNumber }),
    aRecord<Observation>({
      kind: fc.constant('answer'),
      outputs: tensors,
      computeMs: aNumber,
      nonFinite: fc.array(aText, { minLength: 1, maxLength: 3 }),
    }),
    aRecord<Observation>({ kind: fc.constant('failure'), code: aCode, message: aText }),
  ),
  { maxLength: 2 },
);

const CONTEXT = {
  id: aText,
  traceparent: fc.option(aText, { nil: undefined }),
  caller: fc.option(aText, { nil: undefined }),
  deadlineMs: aNumber,
};

/** Any frame of each kind. */
export const FRAMES: { readonly [K in FrameKind]: fc.Arbitrary<FrameOf<K>> } = {
  request: aRecord({
    kind: fc.constant('request'),
    correlation: aU32,
    plan: aPlan,
    work: aRecord<Work>({
      ...CONTEXT,
      priority: aU32,
      scan: fc.boolean(),
      outputs: fc.option(fc.array(aText, { maxLength: 3 }), { nil: undefined }),
      inputs: tensors,
    }),
  }),
  answer: aRecord({
    kind: fc.constant('answer'),
    correlation: aU32,
    answer: aRecord({
      queueMs: aNumber,
      batch: aRecord({ id: fc.maxSafeNat(), rows: fc.nat() }),
      runs,
    }),
  }),
  failure: aRecord({
    kind: fc.constant('failure'),
    correlation: aU32,
    code: aCode,
    message: aText,
    retryAfterMs: fc.option(aNumber, { nil: undefined }),
    stuckSource: fc.option(fc.nat(254), { nil: undefined }),
  }),
  cancel: aRecord({ kind: fc.constant('cancel'), correlation: aU32 }),
  control: aRecord({
    kind: fc.constant('control'),
    body: fc.dictionary(fc.string({ minLength: 1 }), fc.nat(), { noNullPrototype: true }),
  }),
  stored: aRecord({ kind: fc.constant('stored'), at: aU32, bytes: aU32 }),
  job: aRecord({
    kind: fc.constant('job'),
    plan: aPlan,
    requests: fc.array(aRecord<RequestContext>(CONTEXT), { maxLength: 3 }),
    scannedRows: fc.array(aU32, { maxLength: 3 }),
    tensors,
  }),
  result: aRecord({
    kind: fc.constant('result'),
    runs,
    nonFinite: fc.array(aRecord({ run: fc.nat(255), request: aU32, output: aText }), {
      maxLength: 3,
    }),
  }),
};

export const KINDS = Object.keys(FRAMES) as readonly FrameKind[];

export const anyFrame: fc.Arbitrary<Frame> = fc.oneof(...Object.values(FRAMES));

/** Of both ends: at 0, so that what is left of a deadline is the deadline. */
export const STILL: FrameClock = { monotonicMs: () => 0 };

export const encoded = (frame: Frame<OutboundTensor>): Uint8Array<ArrayBuffer> =>
  encodeBuffer(frame, STILL);
export const inPieces = (frame: Frame<OutboundTensor>): Uint8Array[] => encodeChunks(frame, STILL);
export const decoded = (bytes: Uint8Array): Frame => decodeFrame(bytes, STILL);

export function aRequestFrame(given: Partial<Work> = {}, correlation = 7): RequestFrame {
  const work = {
    id: 'r',
    traceparent: undefined,
    caller: undefined,
    deadlineMs: 100,
    priority: 0,
    scan: false,
    outputs: undefined,
    inputs: [{ name: 'x', dtype: 'FP32', shape: [1, 1], data: new Uint8Array(4) }],
    ...given,
  } as const;
  return { kind: 'request', correlation, plan: [0], work };
}
