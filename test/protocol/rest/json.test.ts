import fc from 'fast-check';
import t from 'tap';
import {
  createTimeSlicer,
  runSliced,
  type TimeSlicer,
} from '../../../src/concurrency/time-slicer.ts';
import type { Dtype } from '../../../src/core/tensor.ts';
import { decodeJsonTensor } from '../../../src/protocol/rest/decode-json.ts';
import { JsonElements } from '../../../src/protocol/rest/encode-json.ts';
import { readJsonHead } from '../../../src/protocol/rest/json-head.ts';
import { NumberReader } from '../../../src/protocol/rest/json-number.ts';
import { anyShare } from './builders.ts';

const LIMITS = { jsonDepthMax: 100, jsonElementsMax: 10_000_000 };

function read(text: string): number {
  const numbers = new NumberReader(Buffer.from(`${text}]`));
  return numbers.value(0);
}

t.test('numbers are read from bytes exactly as JSON.parse reads them', async () => {
  const written = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
    fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
    fc.maxSafeInteger().map(String),
    fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(String),
    fc.stringMatching(/^-?(0|[1-9]\d{0,20})(\.\d{1,20})?([eE][+-]?\d{1,3})?$/),
  );
  fc.assert(
    fc.property(written, (text) => Object.is(read(text), JSON.parse(text))),
    { numRuns: 3_000 },
  );
});

t.test('what JSON does not take for a number is refused', async (t) => {
  for (const text of ['+1', '.5', '1.', '01', '-', '1e', '1e+', 'nan', '-NaN', 'Inf', '']) {
    t.throws(() => read(text), { code: 'invalid_input' }, text);
  }
});

async function decode(dtype: Dtype, json: string, shape: readonly number[]): Promise<Uint8Array> {
  const bytes = Buffer.from(json);
  const range = { start: 0, end: bytes.byteLength };
  const tensor = { json: bytes, range, name: 'x', dtype, shape };
  return decodeJsonTensor(tensor, {
    limits: LIMITS,
    slicer: createTimeSlicer(),
    share: anyShare(),
  });
}

async function encode(dtype: Dtype, data: Uint8Array): Promise<string> {
  const elements = new JsonElements({ name: 'y', dtype, shape: [], data });
  await runSliced(elements, createTimeSlicer());
  return `[${elements.pieces.join('')}]`;
}

t.test('what stands between elements must be a comma or an end', async (t) => {
  for (const json of ['[0x1]', '[1 2]', '[1,,2]', '[,1]', '[[1]2]', '[1,]', '[true]']) {
    await t.rejects(decode('FP32', json, [1]), { code: 'invalid_input' }, json);
  }
});

t.test('what is written as JSON reads back as the same bytes', async () => {
  const fixed = fc.constantFrom<Dtype>(
    'BOOL',
    'UINT8',
    'INT16',
    'INT32',
    'INT64',
    'UINT64',
    'FP64',
  );
  await fc.assert(
    fc.asyncProperty(
      fixed,
      fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      async (dtype, words) => {
        const data = bytesOf(dtype, words);
        const count = words.length;
        const back = await decode(dtype, await encode(dtype, data), [count]);
        return Buffer.compare(back, data) === 0;
      },
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' })), async (texts) => {
      const data = await decode('BYTES', JSON.stringify(texts), [texts.length]);
      return JSON.stringify(JSON.parse(await encode('BYTES', data))) === JSON.stringify(texts);
    }),
  );
});

/** One element of the datatype from each 64-bit word; for FP64 without the many patterns of NaN. */
function bytesOf(dtype: Dtype, words: readonly bigint[]): Uint8Array {
  switch (dtype) {
    case 'BOOL':
      return Uint8Array.from(words, (word) => Number(word & 1n));
    case 'UINT8':
      return Uint8Array.from(words, (word) => Number(word & 255n));
    case 'INT16':
      return new Uint8Array(Int16Array.from(words, (word) => Number(word & 65_535n)).buffer);
    case 'INT32':
      return new Uint8Array(Int32Array.from(words, (word) => Number(word & 4_294_967_295n)).buffer);
    case 'FP64': {
      const numbers = new Float64Array(BigUint64Array.from(words).buffer);
      return new Uint8Array(numbers.map((value) => (Number.isNaN(value) ? 0 : value)).buffer);
    }
    default:
      return new Uint8Array(BigUint64Array.from(words).buffer);
  }
}

t.test(
  'tensors are cut out wherever their keys stand, and the rest is as JSON.parse has it',
  async () => {
    const plain = fc.jsonValue({ maxDepth: 2 });
    const tensor = fc.array(fc.oneof(fc.integer(), fc.string(), fc.array(fc.integer())));
    const input = fc.record({ name: plain, data: tensor, other: plain }, { requiredKeys: [] });
    const request = fc.record({ id: plain, inputs: fc.array(input), data: plain, x: plain });
    await fc.assert(
      fc.asyncProperty(request, fc.boolean(), async (value, isSpaced) => {
        const text = JSON.stringify(value, undefined, isSpaced ? 2 : 0);
        const bytes = Buffer.from(text.replaceAll('"other":', '"d\\u0061ta2":'));
        const head = await readJsonHead(bytes, LIMITS, createTimeSlicer());
        const restored = JSON.stringify(head.value, (key, part) =>
          key === 'inputs' && Array.isArray(part)
            ? part.map((each) =>
                restore(each, (at) => {
                  const range = head.ranges[at];
                  return JSON.parse(bytes.toString('utf8', range?.start, range?.end));
                }),
              )
            : part,
        );
        return restored === JSON.stringify(JSON.parse(bytes.toString()));
      }),
    );
  },
);

function restore(input: Record<string, unknown>, read: (index: number) => unknown): unknown {
  const { data } = input;
  return Array.isArray(data) ? { ...input, data: read(Number(data[0])) } : input;
}

t.test('an escaped key is a key', async (t) => {
  const bytes = Buffer.from('{"inputs":[{"\\u0064\\u0061ta":[1,2]}]}');
  const head = await readJsonHead(bytes, LIMITS, createTimeSlicer());
  t.strictSame(head.value, { inputs: [{ data: [0] }] });
  t.equal(head.ranges.length, 1);
});

/** Counts the turns that work waited for. */
function countingSlicer() {
  const slicer = createTimeSlicer();
  const counted: TimeSlicer & { count: number } = {
    count: 0,
    isOver: () => true,
    next: () => {
      counted.count += 1;
      return slicer.next();
    },
  };
  return counted;
}

t.test('a large body leaves the loop free between slices, a small one never waits', async (t) => {
  const values = Array.from({ length: 100_000 }, (_, index) => index / 7);
  const large = Buffer.from(JSON.stringify({ inputs: [{ name: 'x', data: values }] }));
  const slicer = countingSlicer();
  const head = await readJsonHead(large, LIMITS, slicer);
  const scanned = slicer.count;
  t.ok(scanned >= Math.floor(large.byteLength / 524_288), `${scanned} turns to scan`);
  const range = head.ranges[0] ?? { start: 0, end: 0 };
  const tensor = { json: large, range, name: 'x', dtype: 'FP64', shape: [100_000] } as const;
  const data = await decodeJsonTensor(tensor, { limits: LIMITS, slicer, share: anyShare() });
  const read = slicer.count - scanned;
  t.ok(read >= Math.floor(large.byteLength / 65_536), `${read} turns to read`);
  t.same(new Float64Array(data.buffer, data.byteOffset, 100_000), Float64Array.from(values));
  await readJsonHead(Buffer.from('{"inputs":[{"data":[1]}]}'), LIMITS, {
    isOver: () => true,
    next: () => t.fail('a small body waited') as never,
  });
});

/** Reads one BYTES input of a body that holds nothing else. */
async function readStrings(json: Buffer, elements: number): Promise<Uint8Array> {
  const tensor = {
    json,
    range: { start: 0, end: json.byteLength },
    name: 'x',
    dtype: 'BYTES',
    shape: [elements],
  } as const;
  return decodeJsonTensor(tensor, {
    limits: { jsonElementsMax: elements },
    slicer: createTimeSlicer(),
    share: anyShare(),
  });
}

t.test('a million short strings take a buffer, not an object each', async (t) => {
  const json = Buffer.from(`[${'"a",'.repeat(999_999)}"a"]`);
  const before = process.memoryUsage().heapUsed;
  const data = await readStrings(json, 1_000_000);
  const grown = process.memoryUsage().heapUsed - before;
  t.equal(data.byteLength, 5_000_000);
  t.ok(grown < 64_000_000, `${grown} bytes`);
});

t.test('a long string is read as it stands, and refused only if it has escapes', async (t) => {
  const long = (piece: string) => Buffer.from(`["${piece.repeat(1_000_000 / piece.length)}"]`);
  t.equal((await readStrings(long('a'), 1)).byteLength, 1_000_004);
  for (const piece of ['\\"', '\\\\', '\\n', 'abc\\/']) {
    await t.rejects(readStrings(long(piece), 1), {
      code: 'too_large',
      message: /a string with escapes is over the limit: expected at most 262144 bytes/,
    });
  }
  const foreign = Buffer.concat([Buffer.from('["\\n'), Buffer.alloc(9, 0xff), Buffer.from('"]')]);
  await t.rejects(readStrings(foreign, 1), { code: 'invalid_input', message: /in UTF-8/ });
});

t.test('half a surrogate pair is refused, and no character put in its place', async (t) => {
  for (const text of ['\\ud800', 'a\\udc00', '\\udc00\\ud800', 'é\\ud83d!']) {
    await t.rejects(readStrings(Buffer.from(`["${text}"]`), 1), {
      code: 'invalid_input',
      message: /expected a string in UTF-8, its surrogate escapes in pairs/,
    });
  }
  const pair = await readStrings(Buffer.from('["\\ud83d\\ude00"]'), 1);
  t.equal(Buffer.from(pair.subarray(4)).toString(), '😀');
});
