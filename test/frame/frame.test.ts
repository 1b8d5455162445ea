import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { decodeFrame } from '../../src/frame/decode-frame.ts';
import { encodeBuffer, encodeChunks } from '../../src/frame/encode-frame.ts';
import { FRAME_KINDS } from '../../src/frame/frame.ts';
import { FrameError } from '../../src/frame/frame-error.ts';
import { fuzzRuns } from '../support/fuzz-runs.ts';
import { aRequestFrame, FRAMES, KINDS } from './builders.ts';

/** What damage must come to: a frame after all, or a message of one line that says what was expected and what was found. */
function assertClear(bytes: Uint8Array): void {
  try {
    decodeFrame(bytes);
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
        const bytes = encodeBuffer(frame);
        assert.deepEqual(decodeFrame(bytes), frame);
        assert(Buffer.concat(encodeChunks(frame)).equals(bytes));
      }),
      fuzzRuns(60),
    );
  });

  t.test(`${kind}: a frame that is cut short is refused, never misread`, async () => {
    fc.assert(
      fc.property(frames, fc.nat(), (frame, seed) => {
        const bytes = encodeBuffer(frame);
        const cut = bytes.slice(0, seed % bytes.byteLength);
        assert.throws(() => decodeFrame(cut), FrameError);
        // Also where the length agrees with the cut.
        if (cut.byteLength < 16) return;
        const whole = cut.slice(0, cut.byteLength - (cut.byteLength % 8));
        new DataView(whole.buffer).setUint32(0, whole.byteLength, true);
        assert.throws(() => decodeFrame(whole), FrameError);
      }),
      fuzzRuns(60),
    );
  });

  t.test(`${kind}: damage gives a clear message or a frame, never a crash`, async () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(frames, damage, (frame, changes) => {
        const bytes = encodeBuffer(frame);
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
    { kind: 'job', plan: [], tensors: [] },
    { kind: 'result', runs: [] },
  ] as const;
  for (const frame of frames) {
    const bytes = encodeBuffer(frame);
    bytes[8] = 7;
    t.throws(() => decodeFrame(bytes), { message: /expected correlation 0 .* found 7/ });
  }
});

t.test('what a damaged frame holds makes no message of two lines, nor a long one', async (t) => {
  const name = `two\nlines\u2028\u0007${'x'.repeat(1_000)}`;
  const tensor = { name, dtype: 'FP32', shape: [1, 1], data: new Uint8Array(4) } as const;
  const cut = encodeBuffer(aRequestFrame({ tensors: [tensor] }));
  // The last tensor is the frame's last eight bytes; without them the length that is told must be less, too.
  const short = cut.slice(0, -8);
  new DataView(short.buffer).setUint32(0, short.byteLength, true);
  const control = encodeBuffer({ kind: 'control', body: `\n${'x'.repeat(100)}` });
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
  const bytes = encodeBuffer(aRequestFrame({ id: 'some id', tensors: [odd, wide, odd] }));
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
    ...aRequestFrame(),
    tensors: [{ name: 'x', dtype: 'UINT8', shape: [4], data: pieces }],
  };
  const decoded = decodeFrame(encodeBuffer(frame as never));
  if (decoded.kind !== 'request') throw new Error('a request was sent');
  t.strictSame(decoded.tensors[0]?.data, Uint8Array.of(1, 2, 3, 4));
  t.ok(Buffer.concat(encodeChunks(frame as never)).equals(encodeBuffer(frame as never)));
});
