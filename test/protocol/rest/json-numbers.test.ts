import { getFloat16, setFloat16 } from '@petamoriken/float16';
import fc from 'fast-check';
import t from 'tap';
import { createTimeSlicer, runSliced } from '../../../src/concurrency/time-slicer.ts';
import type { Dtype } from '../../../src/core/tensor.ts';
import { decodeJsonTensor } from '../../../src/protocol/rest/decode-json.ts';
import { JsonElements } from '../../../src/protocol/rest/encode-json.ts';
import { anyShare } from './builders.ts';

const SLICER = createTimeSlicer();

async function decode(dtype: Dtype, numerals: readonly string[]): Promise<Uint8Array> {
  const json = Buffer.from(`[${numerals.join(',')}]`);
  const range = { start: 0, end: json.byteLength };
  const shape = [numerals.length];
  return decodeJsonTensor(
    { json, range, name: 'x', dtype, shape },
    { limits: { jsonElementsMax: 1e6 }, slicer: SLICER, share: anyShare() },
  );
}

async function encode(dtype: Dtype, data: Uint8Array): Promise<string> {
  const elements = new JsonElements({ name: 'y', dtype, shape: [], data });
  await runSliced(elements, SLICER);
  return `[${elements.pieces.join('')}]`;
}

/** Digits of a number exactly between two neighbours of `bits` bits, `power` powers of two below the whole numbers. */
function halfway(bits: number, significand: bigint, power: number): string {
  const least = 2n ** BigInt(bits - 1);
  const odd = 2n * (least + (significand % least)) + 1n;
  return power <= 0 ? `${odd * 2n ** BigInt(-power)}` : `${odd * 5n ** BigInt(power)}e-${power}`;
}

/** The numeral with its last digit one more, a digit behind it, or as it is. */
function nudged(text: string, how: number): string {
  const [digits = '', exponent] = text.split('e');
  const power = exponent === undefined ? 0 : Number(exponent);
  if (how === 0) return text;
  const moved = BigInt(`${digits}000`) + BigInt(how);
  return `${moved}e${power - 3}`;
}

const halfways = fc
  .tuple(
    fc.constantFrom(24, 53),
    fc.bigInt({ min: 0n, max: 2n ** 60n }),
    fc.integer({ min: -60, max: 140 }),
    fc.integer({ min: -1, max: 1 }),
  )
  .map(([bits, significand, power, how]) => nudged(halfway(bits, significand, power), how));

/** The same digits with the point moved into them, so that all ways to take a numeral apart are walked. */
const pointed = fc
  .tuple(fc.stringMatching(/^[1-9]\d{0,30}$/), fc.nat(30), fc.integer({ min: -60, max: 40 }))
  .map(([digits, at, exponent]) => {
    const point = Math.min(at, digits.length - 1);
    const whole = digits.slice(0, point) || '0';
    return `${whole}.${digits.slice(point)}${exponent === 0 ? '' : `e${exponent}`}`;
  });

const numerals = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.double({ min: -1, max: 1, noNaN: true }).map((value) => JSON.stringify(value)),
  fc.double({ min: -1, max: 1, noNaN: true }).map((value) => value.toFixed(4)),
  halfways,
  pointed,
  fc.stringMatching(/^-?(0|[1-9]\d{0,20})(\.\d{1,20})?([eE][+-]?\d{1,3})?$/),
  fc.stringMatching(/^-?[1-9]\.\d{1,9}e-(3[0-4]|4[0-6]|30[5-9]|3[12]\d)$/),
  fc
    .tuple(fc.stringMatching(/^0\.0{0,400}$/), fc.stringMatching(/^\d{1,20}$/))
    .map(([a, b]) => a + b),
  fc
    .tuple(fc.bigInt({ min: 1n, max: 10n ** 20n }), fc.nat(40))
    .map(([a, b]) => `${`${a}`.repeat(b + 1)}e-${20 * b}`),
  fc.constantFrom('-0', '-0.0', '0e999', '-0e-5', '5e-324', '2.5e-324', '1e-46', '0.1', '1e23'),
);

const manyNumerals = fc.array(numerals, { minLength: 100, maxLength: 100 });

const FP32_MAX = 3.4028234663852886e38;

t.test(
  'FP32 and FP64 are bit for bit what JSON.parse and Math.fround make of the same text',
  async () => {
    await fc.assert(
      fc.asyncProperty(manyNumerals, async (texts) => {
        const singles = texts.filter((text) => Math.abs(Math.fround(JSON.parse(text))) <= FP32_MAX);
        const doubles = texts.filter((text) => Number.isFinite(JSON.parse(text)));
        return (
          same(
            await decode('FP32', singles),
            Float32Array.from(singles, (text) => JSON.parse(text)),
          ) &&
          same(
            await decode('FP64', doubles),
            Float64Array.from(doubles, (text) => JSON.parse(text)),
          )
        );
      }),
      { numRuns: 1_000 },
    );
  },
);

function same(found: Uint8Array, expected: Float32Array | Float64Array | Uint16Array): boolean {
  return Buffer.compare(found, new Uint8Array(expected.buffer)) === 0;
}

t.test('64-bit integers are exact at every length', async () => {
  const values = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -(2n ** 33n), max: 2n ** 33n }),
    fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(values, { minLength: 50, maxLength: 50 }), async (words) => {
      const signed = await decode('INT64', words.map(String));
      const unsigned = await decode(
        'UINT64',
        words.map((word) => String(BigInt.asUintN(64, word))),
      );
      const expected = new Uint8Array(BigInt64Array.from(words).buffer);
      return !Buffer.compare(signed, expected) && !Buffer.compare(unsigned, expected);
    }),
  );
});

/** All finite numbers of a 16-bit format, from 0 upwards: neighbours stand side by side. */
function finiteNumbers(infinity: number, fromBits: (bits: number) => number): readonly number[] {
  return Array.from({ length: infinity }, (_, bits) => fromBits(bits));
}

const view = new DataView(new ArrayBuffer(4));

const NARROW = {
  FP16: {
    infinity: 0x7c00,
    fromBits: (bits: number): number => {
      view.setUint16(0, bits);
      return getFloat16(view, 0);
    },
  },
  BF16: {
    infinity: 0x7f80,
    fromBits: (bits: number): number => {
      view.setUint32(0, bits << 16);
      return view.getFloat32(0);
    },
  },
} as const;

for (const [dtype, { infinity, fromBits }] of Object.entries(NARROW)) {
  const kind = dtype as keyof typeof NARROW;
  t.test(`${kind}: every number comes back as it went, negative ones too`, async (t) => {
    const all = Uint16Array.from({ length: 2 * infinity }, (_, at) =>
      at < infinity ? at : 0x8000 + at - infinity,
    );
    const written = await encode(kind, new Uint8Array(all.buffer));
    t.ok(same(await decode(kind, written.slice(1, -1).split(',')), all));
    const values = JSON.parse(written) as readonly number[];
    const isSame = values.every((value, at) => Math.fround(value) === fromBits(all[at] ?? 0));
    t.ok(isSame, 'and is written as the number it is');
  });

  t.test(
    `${kind}: between two neighbours the nearer is taken, and the even one in the middle`,
    async (t) => {
      const numbers = finiteNumbers(infinity, fromBits);
      const below: string[] = [];
      const middle: string[] = [];
      const above: string[] = [];
      for (let bits = 0; bits + 1 < infinity; bits += 1) {
        const half = ((numbers[bits] ?? 0) + (numbers[bits + 1] ?? 0)) / 2;
        middle.push(String(half));
        below.push(String(half * (1 - 2 ** -40)));
        above.push(String(half * (1 + 2 ** -40)));
      }
      const lower = Uint16Array.from(middle, (_, bits) => bits);
      t.ok(same(await decode(kind, below), lower));
      t.ok(
        same(
          await decode(kind, above),
          lower.map((bits) => bits + 1),
        ),
      );
      t.ok(
        same(
          await decode(kind, middle),
          lower.map((bits) => bits + (bits & 1)),
        ),
      );
    },
  );

  t.test(
    `${kind}: what would round to infinity is refused, infinity and NaN by name are not`,
    async (t) => {
      const max = fromBits(infinity - 1);
      const step = max - fromBits(infinity - 2);
      const bits = new Uint16Array([infinity - 1, infinity, infinity | 0x8000]);
      const largest = String(max + step * 0.499);
      t.ok(same(await decode(kind, [largest, 'Infinity', '-Infinity']), bits));
      await t.rejects(decode(kind, [String(max + step / 2)]), {
        code: 'invalid_input',
        message: `unexpected element of input 'x': expected a number from -${max} to ${max} for ${kind}, found ${max + step / 2}`,
      });
      const back = await encode(kind, await decode(kind, ['NaN', 'Infinity', '-Infinity', '-0']));
      t.equal(back, '[NaN,Infinity,-Infinity,-0.0]');
    },
  );
}

t.test('FP16 is rounded as another implementation rounds it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.double({ min: -65_519, max: 65_519, noNaN: true })),
      async (values) => {
        const expected = Uint16Array.from(values, (value) => {
          setFloat16(view, 0, value);
          return view.getUint16(0);
        });
        return same(
          await decode(
            'FP16',
            values.map((value) => (Object.is(value, -0) ? '-0.0' : String(value))),
          ),
          expected,
        );
      },
    ),
  );
});

t.test('a numeral of thousands of digits is refused before it is parsed', async (t) => {
  for (const text of [
    '1'.repeat(100_000),
    `0.${'0'.repeat(100_000)}1`,
    `1e${'0'.repeat(9_999)}1`,
  ]) {
    for (const dtype of ['FP32', 'FP64', 'INT64', 'UINT8', 'BF16'] as const) {
      await t.rejects(decode(dtype, [text]), {
        code: 'too_large',
        message: /a number is over the limit: expected at most 4096 bytes, found \d+ or more/,
      });
    }
  }
  t.equal((await decode('FP32', [`0.${'1'.repeat(4_000)}`])).byteLength, 4);
});
