import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { joinByteStrings, splitByteStrings } from '../../src/core/byte-strings.ts';

t.test('byte strings come back as they went, and a lying length is refused', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), (elements) => {
      const split = splitByteStrings(joinByteStrings(elements)).map((bytes) => [...bytes]);
      assert.deepEqual(
        split,
        elements.map((bytes) => [...bytes]),
      );
    }),
    { numRuns: 100 },
  );
  t.throws(() => splitByteStrings(Uint8Array.of(9, 0, 0, 0, 1)), { message: /found 5 bytes left/ });
  t.throws(() => splitByteStrings(Uint8Array.of(9, 0)), { message: /found 2 bytes left/ });
});
