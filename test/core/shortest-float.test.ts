import fc from 'fast-check';
import t from 'tap';
import {
  FLOAT32,
  jsonNumber,
  shortestFloat,
  shortestFloat32,
} from '../../src/core/shortest-float.ts';

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

function float32(pattern: number): number {
  bits[0] = pattern;
  return float[0] ?? 0;
}

/** Any FP32 that is a number, with as many below the normal ones as above. */
const FLOATS = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.boolean())
  .map(([pattern, isSmall]) => float32(isSmall ? (pattern & 0x807fffff) >>> 0 : pattern))
  .filter(Number.isFinite);

t.test('any FP32 comes back from its shortest digits, and from no fewer', async () => {
  fc.assert(
    fc.property(FLOATS, (value) => {
      const shortest = shortestFloat(value, FLOAT32);
      const digits = shortest.toExponential().replace(/e.*|[-.]/g, '').length;
      const shorter = Number(value.toPrecision(Math.max(1, digits - 1)));
      // Half way to a neighbour, a decimal that is read by way of another double may come out as that.
      const isBack = [1 - 2 ** -50, 1 + 2 ** -50].every(
        (near) => Math.fround(shorter * near) === value,
      );
      return Object.is(Math.fround(shortest), value) && digits <= 9 && (digits === 1 || !isBack);
    }),
    { numRuns: 2_000 },
  );
});

t.test('numbers are written as JSON has them, and a zero keeps its sign', async (t) => {
  t.equal(jsonNumber(shortestFloat32(Math.fround(0.1))), '0.1');
  t.equal(jsonNumber(shortestFloat32(float32(1))), '1e-45');
  t.equal(jsonNumber(shortestFloat32(16_777_215)), '16777215');
  t.equal(jsonNumber(shortestFloat32(-0)), '-0.0');
  t.equal(jsonNumber(shortestFloat32(Number.NaN)), 'NaN');
  t.equal(jsonNumber(2n ** 63n), '9223372036854775808');
});
