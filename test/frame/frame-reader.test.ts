import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import type { Frame } from '../../src/frame/frame.ts';
import { FrameReader } from '../../src/frame/frame-reader.ts';
import { anyFrame, aRequestFrame, encoded, inPieces, STILL } from './builders.ts';

t.test('frames come out of a stream however it is cut', async () => {
  fc.assert(
    fc.property(
      fc.array(anyFrame, { maxLength: 5 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 90 })),
      (frames, lengths) => {
        const stream = Buffer.concat(frames.flatMap((frame) => inPieces(frame)));
        const reader = new FrameReader(STILL);
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

t.test('a length over the limit is refused before anything is set aside for it', async (t) => {
  const reader = new FrameReader(STILL, 64);
  t.throws(() => reader.push(Uint8Array.of(0, 0, 0, 0x7f), () => t.fail('no frame')), {
    message: /expected a length of 16 to 64 .* found 2130706432/,
  });
});

t.test('a large frame in many chunks takes time in proportion to its length', async (t) => {
  const data = new Uint8Array(32 * 1024 * 1024);
  const stream = encoded(
    aRequestFrame({ inputs: [{ name: 'x', dtype: 'UINT8', shape: [data.length], data }] }),
  );
  const reader = new FrameReader(STILL);
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
