import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { decodeFrame } from '../../src/frame/decode-frame.ts';
import { encodeBuffer } from '../../src/frame/encode-frame.ts';
import { FRAME_KINDS } from '../../src/frame/frame.ts';
import { FrameError } from '../../src/frame/frame-error.ts';
import { fuzzRuns } from '../support/fuzz-runs.ts';
import { aRequestFrame, decoded, encoded, FRAMES, inPieces, KINDS } from './builders.ts';

/** What damage must come to: a frame after all, or a message of one line that says what was expected and what was found. */
function assertClear(bytes: Uint8Array): void {
  try {
    decoded(bytes);
  } catch (error) {
    assert(error instanceof FrameError, String(error));
    assert.match(error.message, /^malformed frame: expected .* found .*$/);
    assert(error.message.length < 200, error.message);
  }
}

t.test('every kind of frame is tested', async (t) => t.same(KINDS, FRAME_KINDS));

for (const kind of KINDS) {
  const frames = FRAMES[kind];

  t.test(`${kind}: what is encoded is decoded, in one buffer and in pieces`, async () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const bytes = encoded(frame);
        assert.deepEqual(decoded(bytes), frame);
        assert(Buffer.concat(inPieces(frame)).equals(bytes));
      }),
      fuzzRuns(60),
    );
  });

  t.test(`${kind}: a frame that is cut short is refused, never misread`, async () => {
    fc.assert(
      fc.property(frames, fc.nat(), (frame, seed) => {
        const bytes = encoded(frame);
        const cut = bytes.slice(0, seed % bytes.byteLength);
        assert.throws(() => decoded(cut), FrameError);
        // Also where the length agrees with the cut.
        if (cut.byteLength < 16) return;
        const whole = cut.slice(0, cut.byteLength - (cut.byteLength % 8));
        new DataView(whole.buffer).setUint32(0, whole.byteLength, true);
        assert.throws(() => decoded(whole), FrameError);
      }),
      fuzzRuns(60),
    );
  });

  t.test(`${kind}: damage gives a clear message or a frame, never a crash`, async () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(frames, damage, (frame, changes) => {
        const bytes = encoded(frame);
        for (const [seed, value] of changes) bytes[seed % bytes.byteLength] = value;
        assertClear(bytes);
      }),
      fuzzRuns(200),
    );
  });

  t.test(`${kind}: nonsense behind a good header is refused or read, never a crash`, async () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(120), (nonsense, headBytes) => {
        const bytes = new Uint8Array(16 + Math.ceil(nonsense.length / 8) * 8);
        const view = new DataView(bytes.buffer);
        view.setUint32(0, bytes.byteLength, true);
        view.setUint32(4, FRAME_KINDS.indexOf(kind) | 0x100, true);
        view.setUint32(12, headBytes, true);
        bytes.set(nonsense, 16);
        assertClear(bytes);
      }),
      fuzzRuns(200),
    );
  });
}

t.test('a correlation is refused in kinds that answer nothing', async (t) => {
  const frames = [
    { kind: 'control', body: 1 },
    { kind: 'stored', at: 0, bytes: 16 },
    { kind: 'job', plan: [], requests: [], scannedRows: [], tensors: [] },
    { kind: 'result', runs: [], nonFinite: [] },
  ] as const;
  for (const frame of frames) {
    const bytes = encoded(frame);
    bytes[8] = 7;
    t.throws(() => decoded(bytes), { message: /expected correlation 0 .* found 7/ });
  }
});

t.test('what a damaged frame holds makes no message of two lines, nor a long one', async (t) => {
  const name = `two\nlines\u2028\u0007${'x'.repeat(1_000)}`;
  const tensor = { name, dtype: 'FP32', shape: [1, 1], data: new Uint8Array(4) } as const;
  const cut = encoded(aRequestFrame({ inputs: [tensor] }));
  // The last tensor is the frame's last eight bytes; without them the length in the header must be less, too.
  const short = cut.slice(0, -8);
  new DataView(short.buffer).setUint32(0, short.byteLength, true);
  const control = encoded({ kind: 'control', body: `\n${'x'.repeat(100)}` });
  control[control.indexOf(0x22)] = 0x0a;
  for (const bytes of [short, control])
    t.throws(() => decoded(bytes), {
      name: 'FrameError',
      message: /^malformed frame: expected .{0,30} (of tensor|found) ".{0,60}"(, found 0)?$/,
    });
});

t.test('tensors begin at multiples of eight bytes and are views', async (t) => {
  const odd = { name: 'odd', dtype: 'UINT8', shape: [3], data: Uint8Array.of(1, 2, 3) } as const;
  const wide = { name: 'w', dtype: 'FP64', shape: [1], data: new Uint8Array(8).fill(9) } as const;
  const bytes = encoded(aRequestFrame({ id: 'some id', inputs: [odd, wide, odd] }));
  const frame = decoded(bytes);
  if (frame.kind !== 'request') throw new Error('a request was sent');
  for (const { data } of frame.work.inputs) {
    t.equal(data.byteOffset % 8, 0);
    t.equal(data.buffer, bytes.buffer);
  }
});

t.test('data in several pieces is put in a row', async (t) => {
  const pieces = [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3, 4)];
  const x = { name: 'x', dtype: 'UINT8', shape: [4], data: pieces } as const;
  const job = { kind: 'job', plan: [0], requests: [], scannedRows: [], tensors: [x] } as const;
  const whole = { ...x, data: Uint8Array.of(1, 2, 3, 4) };
  t.strictSame(decoded(encoded(job)), { ...job, tensors: [whole] });
  t.ok(Buffer.concat(inPieces(job)).equals(encoded(job)));
});

t.test('the tensors of a large frame are handed on as they are', async (t) => {
  const data = [new Uint8Array(5_001).fill(1), new Uint8Array(6_000).fill(2)];
  const x = { name: 'x', dtype: 'UINT8', shape: [11_001], data } as const;
  const job = { kind: 'job', plan: [0], requests: [], scannedRows: [], tensors: [x] } as const;
  const pieces = inPieces(job);
  t.ok(data.every((part) => pieces.includes(part)));
  t.ok(Buffer.concat(pieces).equals(encoded(job)));
});

t.test('a deadline crosses to the clock of the other end', async (t) => {
  const [ours, theirs] = [{ monotonicMs: () => 5_000 }, { monotonicMs: () => 70 }];
  const request = aRequestFrame({ deadlineMs: 5_250 });
  const job = {
    kind: 'job',
    plan: [0],
    requests: [request.work],
    scannedRows: [],
    tensors: [],
  } as const;
  const found = [request, job].map((frame) => decodeFrame(encodeBuffer(frame, ours), theirs));
  t.match(found, [{ work: { deadlineMs: 320 } }, { requests: [{ deadlineMs: 320 }] }]);
});

t.test('a job carries no more of its requests than their context', async (t) => {
  const context = { id: 'r', traceparent: 'a trace', caller: 'a caller', deadlineMs: 100 };
  const { work } = aRequestFrame(context);
  const job = { kind: 'job', plan: [0], requests: [work], scannedRows: [2], tensors: [] } as const;
  t.strictSame(decoded(encoded(job)), { ...job, requests: [context] });
});
