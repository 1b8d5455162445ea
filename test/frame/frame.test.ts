import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { SERVE_ERROR_CODES } from '../../src/core/errors.ts';
import { DTYPES, type Tensor } from '../../src/core/tensor.ts';
import {
  decodeFrame,
  encodeBuffer,
  encodeChunks,
  type Frame,
  type RequestFrame,
} from '../../src/frame/frame.ts';
import { FrameError } from '../../src/frame/frame-bytes.ts';
import { FrameReader } from '../../src/frame/frame-reader.ts';

/** Objects as we write them, with the usual prototype. */
function aRecord<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const aText = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 9 }));
const aNumber = fc.double({ noNaN: true });
const anyTensor: fc.Arbitrary<Tensor> = aRecord({
  name: aText,
  dtype: fc.constantFrom(...DTYPES),
  shape: fc.array(fc.nat(0xffff_ffff), { maxLength: 5 }),
  data: fc.uint8Array({ maxLength: 100 }).map((bytes) => Uint8Array.from(bytes)),
});
const tensors = fc.array(anyTensor, { maxLength: 4 });
const correlation = fc.nat(0xffff_ffff);
const anObservation = fc.oneof(
  aRecord({ kind: fc.constant('answer' as const), outputs: tensors, computeMs: aNumber }),
  aRecord({
    kind: fc.constant('failure' as const),
    code: fc.constantFrom(...SERVE_ERROR_CODES),
    message: aText,
  }),
);
const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  aRecord({
    kind: fc.constant('request' as const),
    correlation,
    id: aText,
    remainingMs: aNumber,
    priority: fc.nat(0xffff_ffff),
    plan: fc.array(fc.nat(255), { maxLength: 3 }),
    outputs: fc.option(fc.array(aText, { maxLength: 3 }), { nil: undefined }),
    tensors,
  }),
  aRecord({
    kind: fc.constant('answer' as const),
    correlation,
    queueMs: aNumber,
    batch: aRecord({ id: fc.maxSafeNat(), rows: fc.nat() }),
    runs: fc.array(anObservation, { maxLength: 2 }),
  }),
  aRecord({
    kind: fc.constant('failure' as const),
    correlation,
    code: fc.constantFrom(...SERVE_ERROR_CODES),
    message: aText,
    retryAfterMs: fc.option(aNumber, { nil: undefined }),
  }),
  aRecord({ kind: fc.constant('cancel' as const), correlation }),
  aRecord({
    kind: fc.constant('stored' as const),
    correlation,
    at: fc.nat(0xffff_ffff),
    bytes: fc.nat(0xffff_ffff),
  }),
  aRecord({
    kind: fc.constant('control' as const),
    correlation,
    body: fc.dictionary(fc.string({ minLength: 1 }), fc.nat(), { noNullPrototype: true }),
  }),
);

function aRequest(given: Partial<RequestFrame> = {}): RequestFrame {
  return {
    kind: 'request',
    correlation: 7,
    id: 'r',
    remainingMs: 100,
    priority: 0,
    plan: [0],
    outputs: undefined,
    tensors: [{ name: 'x', dtype: 'FP32', shape: [1, 1], data: new Uint8Array(4) }],
    ...given,
  };
}

t.test('what is encoded is decoded, in one buffer and in pieces', async () => {
  fc.assert(
    fc.property(anyFrame, (frame) => {
      const bytes = encodeBuffer(frame);
      assert.deepEqual(decodeFrame(bytes), frame);
      assert(Buffer.concat(encodeChunks(frame)).equals(bytes));
    }),
    { numRuns: 300 },
  );
});

t.test('frames come out of a stream however it is cut', async () => {
  fc.assert(
    fc.property(
      fc.array(anyFrame, { maxLength: 5 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 90 })),
      (frames, lengths) => {
        const stream = Buffer.concat(frames.flatMap((frame) => encodeChunks(frame)));
        const reader = new FrameReader();
        const found: Frame[] = [];
        for (let at = 0; at < stream.byteLength; ) {
          const length = lengths.next().value ?? 1;
          reader.push(Uint8Array.from(stream.subarray(at, at + length)), (f) => found.push(f));
          at += length;
        }
        assert.deepEqual(found, frames);
      },
    ),
    { numRuns: 200 },
  );
});

t.test('a frame that is cut short is refused, never misread', async () => {
  fc.assert(
    fc.property(anyFrame, fc.nat(), (frame, seed) => {
      const bytes = encodeBuffer(frame);
      assert.throws(() => decodeFrame(bytes.subarray(0, seed % bytes.byteLength)), FrameError);
    }),
    { numRuns: 200 },
  );
});

t.test('random damage gives a FrameError or a frame, nothing else', async () => {
  fc.assert(
    fc.property(anyFrame, fc.nat(), fc.nat(255), (frame, seed, value) => {
      const bytes = encodeBuffer(frame);
      bytes[seed % bytes.byteLength] = value;
      try {
        decodeFrame(bytes);
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        assert.match(error.message, /expected .* found/);
      }
    }),
    { numRuns: 300 },
  );
});

t.test('what a damaged frame holds makes no message of two lines, nor a long one', async (t) => {
  const name = `two\nlines\u2028\u0007${'x'.repeat(1_000)}`;
  const tensor = { name, dtype: 'FP32', shape: [1, 1], data: new Uint8Array(4) } as const;
  const cut = encodeBuffer(aRequest({ tensors: [tensor] }));
  // The last tensor is the frame's last eight bytes; without them the length that is told must be less, too.
  const short = cut.slice(0, -8);
  new DataView(short.buffer).setUint32(0, short.byteLength, true);
  const control = encodeBuffer({ kind: 'control', correlation: 1, body: `\n${'x'.repeat(100)}` });
  control[control.indexOf(0x22)] = 0x0a;
  for (const bytes of [short, control])
    t.throws(() => decodeFrame(bytes), {
      name: 'FrameError',
      message: /^malformed frame: expected .{0,30} (of tensor|found) ".{0,60}"(, found 0)?$/,
    });
});

t.test('tensors begin at multiples of eight bytes and are views', async (t) => {
  const odd = { name: 'odd', dtype: 'UINT8', shape: [3], data: Uint8Array.of(1, 2, 3) } as const;
  const wide = { name: 'w', dtype: 'FP64', shape: [1], data: new Uint8Array(8).fill(9) } as const;
  const bytes = encodeBuffer(aRequest({ id: 'some id', tensors: [odd, wide, odd] }));
  const frame = decodeFrame(bytes);
  if (frame.kind !== 'request') throw new Error('a request was sent');
  for (const { data } of frame.tensors) {
    t.equal(data.byteOffset % 8, 0);
    t.equal(data.buffer, bytes.buffer);
  }
});

t.test('data in several pieces is put in a row', async (t) => {
  const pieces = [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3, 4)];
  const frame = {
    ...aRequest(),
    tensors: [{ name: 'x', dtype: 'UINT8', shape: [4], data: pieces }],
  };
  const decoded = decodeFrame(encodeBuffer(frame as never));
  if (decoded.kind !== 'request') throw new Error('a request was sent');
  t.strictSame(decoded.tensors[0]?.data, Uint8Array.of(1, 2, 3, 4));
  t.ok(Buffer.concat(encodeChunks(frame as never)).equals(encodeBuffer(frame as never)));
});

t.test('a length over the limit is refused before anything is set aside for it', async (t) => {
  const reader = new FrameReader(64);
  t.throws(() => reader.push(Uint8Array.of(0, 0, 0, 0x7f), () => t.fail('no frame')), {
    message: /expected a length of 16 to 64 .* found 2130706432/,
  });
});

t.test('a large frame in many chunks takes time in proportion to its length', async (t) => {
  const data = new Uint8Array(32 * 1024 * 1024);
  const stream = encodeBuffer(
    aRequest({ tensors: [{ name: 'x', dtype: 'UINT8', shape: [data.length], data }] }),
  );
  const reader = new FrameReader();
  const startedMs = systemClock.monotonicMs();
  let frames = 0;
  for (let at = 0; at < stream.byteLength; at += 1024) {
    reader.push(stream.subarray(at, at + 1024), () => {
      frames += 1;
    });
  }
  t.equal(frames, 1);
  // Copying what was already there at each chunk would move half a terabyte.
  t.ok(systemClock.monotonicMs() - startedMs < 5_000);
});
