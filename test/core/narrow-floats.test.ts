import { Float16Array } from '@petamoriken/float16';
import fc from 'fast-check';
import t from 'tap';
import {
  fromBf16Bits,
  fromFp16Bits,
  numbersOfBf16,
  numbersOfFp16,
  toBf16Bits,
  toFp16Bits,
} from '../../src/core/narrow-floats.ts';

const PATTERNS = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);

t.test('all FP16 are read as another implementation reads them, one by one or together', (t) => {
  const theirs = new Float16Array(PATTERNS.buffer);
  const together = numbersOfFp16(PATTERNS);
  const wrong = [...PATTERNS].filter(
    (bits) =>
      !Object.is(fromFp16Bits(bits), theirs[bits]) || !Object.is(together[bits], theirs[bits]),
  );
  t.same(wrong, []);
  t.end();
});

t.test(
  'FP16 are rounded as another implementation rounds them, ties and their neighbours too',
  async () => {
    const theirs = new Float16Array(1);
    const theirBits = new Uint16Array(theirs.buffer);
    const isSame = (value: number): boolean => {
      theirs[0] = value;
      return Number.isNaN(value) || toFp16Bits(value) === theirBits[0];
    };
    // Half way between two neighbours, on it or the least step of a double to either side.
    const nearTie = fc
      .tuple(fc.nat(0x7bfe), fc.constantFrom(0, 1, -1), fc.boolean())
      .map(([bits, step, isNegative]) => {
        const tie = (fromFp16Bits(bits) + fromFp16Bits(bits + 1)) / 2;
        return (isNegative ? -1 : 1) * tie * (1 + step * Number.EPSILON);
      });
    fc.assert(fc.property(fc.oneof(fc.double(), fc.float(), nearTie), isSame), { numRuns: 5_000 });
  },
);

t.test('all BF16 are the upper half of an FP32, and are written as they are read', (t) => {
  const view = new DataView(new ArrayBuffer(4));
  const together = numbersOfBf16(PATTERNS);
  const wrong = [...PATTERNS].filter((bits) => {
    view.setUint16(0, bits);
    const number = view.getFloat32(0);
    const isRead = Object.is(fromBf16Bits(bits), number) && Object.is(together[bits], number);
    return !isRead || (!Number.isNaN(number) && toBf16Bits(number) !== bits);
  });
  t.same(wrong, []);
  t.end();
});
