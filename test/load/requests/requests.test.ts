import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Float16Array } from '@petamoriken/float16';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { seededRandom } from '../../../src/core/random.ts';
import { DTYPES, type Dtype, type Signature } from '../../../src/core/tensor.ts';
import type { Sample } from '../../../src/load/nouns/sample.ts';
import { dataSamples, readDataFile } from '../../../src/load/requests/data-file.ts';
import { bytesOf, type Element, elementsOf } from '../../../src/load/requests/elements.ts';
import { parseExactJson } from '../../../src/load/requests/exact-json.ts';
import { jsonElements } from '../../../src/load/requests/json-elements.ts';
import { syntheticSamples } from '../../../src/load/requests/synthetic.ts';
import { fuzzRuns } from '../../support/fuzz-runs.ts';

function taking(dtype: Dtype, shape: readonly number[], outputs: Signature['outputs'] = []) {
  return { inputs: [{ name: 'x', dtype, shape }], outputs };
}

function aFolder(t: Test): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'understudy-requests-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const ONE = { count: 1, batch: 1, shapes: {} };

t.test('synthetic values are in range, of the right size, and the same for a seed', async (t) => {
  for (const dtype of DTYPES) {
    const options = { count: 3, batch: 4, shapes: { x: [3, 5] } };
    const make = (seed: number) =>
      syntheticSamples(taking(dtype, [-1, 3, -1]), { ...options, random: seededRandom(seed) });
    const samples = make(1);
    t.equal(hexOf(samples), hexOf(make(1)), dtype);
    t.not(hexOf(samples), hexOf(make(2)), dtype);
    t.equal(samples.length, 3);
    for (const { inputs } of samples) {
      const [input] = inputs;
      t.match(input, { name: 'x', dtype, shape: [4, 3, 5] });
      const elements = elementsOf(dtype, input?.data ?? new Uint8Array());
      t.equal(elements.length, 60);
      t.ok(
        elements.every((element) => isModest(dtype, element)),
        dtype,
      );
    }
  }
});

function hexOf(samples: readonly Sample[]): string {
  return samples.map(({ inputs: [x] }) => Buffer.from(x?.data ?? []).toString('hex')).join();
}

function isModest(dtype: Dtype, element: Element): boolean {
  if (typeof element === 'object') return /^[a-z ]{4,24}$/.test(Buffer.from(element).toString());
  if (dtype === 'BOOL') return element === 0 || element === 1;
  if (dtype.startsWith('FP') || dtype === 'BF16') return element >= 0 && element < 1;
  return element >= 0 && element <= 9;
}

t.test('shapes are taken with or without the batch, and nothing is guessed', async (t) => {
  const shapeFor = (shape: readonly number[], options: Partial<typeof ONE> & { shapes?: object }) =>
    syntheticSamples(taking('INT8', shape), {
      ...ONE,
      ...options,
      random: seededRandom(1),
    } as Parameters<typeof syntheticSamples>[1])[0]?.inputs[0]?.shape;
  t.same(shapeFor([-1, 4], { batch: 3 }), [3, 4]);
  t.same(shapeFor([-1, -1], { shapes: { x: [7] }, batch: 3 }), [3, 7]);
  t.same(shapeFor([-1, -1], { shapes: { x: [2, 7] }, batch: 3 }), [2, 7]);
  t.same(shapeFor([2, -1], { shapes: { x: [2, 7] } }), [2, 7]);
  t.same(shapeFor([], {}), []);
  const complaint = (shape: readonly number[], options: object, message: RegExp) =>
    t.throws(() => shapeFor(shape, options), message);
  complaint([-1, 3, -1, -1], {}, /"x" \[-1,3,-1,-1\].*--shape x:3,N,N$/);
  complaint([-1, 3], { shapes: { x: [4] } }, /expected a shape like \[-1,3\].*found \[4\]/);
  complaint([-1, -1], { shapes: { x: [0] } }, /found \[0\]/);
  complaint([-1, -1], { shapes: { y: [1] } }, /--shape: expected one of "x", found "y"/);
  complaint([4], { batch: 2 }, /batch: expected 1/);
  complaint([-1], { batch: 0 }, /batch: expected a whole number from 1, found 0/);
  complaint([-1, -1], { shapes: { x: [2 ** 40] } }, /expected at most \d+ elements/);
  complaint([-1, 2 ** 20], { count: 2_000 }, /expected at most 1073741824 bytes/);
  const random = seededRandom(1);
  t.throws(() => syntheticSamples({ inputs: [], outputs: [] }, { ...ONE, random }), /no input/);
  const odd = taking('FP8' as Dtype, [1]);
  t.throws(() => syntheticSamples(odd, { ...ONE, random }), /"x": expected a datatype of .*FP8$/);
});

const bitsOf = (dtype: Dtype, value: number) => Buffer.from(bytesOf(dtype, [value])).readUInt16LE();

t.test(
  'FP16 is rounded as another implementation rounds it, BF16 as FP32 cut in half',
  async (t) => {
    const check = (value: number) => {
      const theirs = new Uint16Array(Float16Array.of(value).buffer)[0];
      if (!Number.isNaN(value) && bitsOf('FP16', value) !== theirs) return false;
      const bits = new Uint32Array(Float32Array.of(Math.fround(value)).buffer)[0] ?? 0;
      // Of numbers that are FP32 already: those round once.
      const rounded = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
      return Number.isNaN(value) || bitsOf('BF16', Math.fround(value)) === rounded;
    };
    fc.assert(fc.property(fc.double(), check));
    fc.assert(fc.property(fc.float(), check));
    for (let bits = 0; bits < 65_536; bits += 7) {
      const value = new Float16Array(Uint16Array.of(bits).buffer)[0] ?? 0;
      if (Number.isNaN(value)) continue;
      const back = elementsOf('FP16', bytesOf('FP16', [value]))[0];
      if (!Object.is(back, value) || !check(value) || !check(value * (1 + 2 ** -11)))
        t.fail(`${bits}`);
    }
  },
);

t.test('printed numbers read back, and no fewer digits would do', async (t) => {
  const printed = (dtype: Dtype, value: number) =>
    jsonElements({ name: 'x', dtype, shape: [1], data: bytesOf(dtype, [value]) });
  const digitsOf = (text: string) => text.replace(/e.*|[-.]/g, '').replace(/^0+|0+$/g, '').length;
  const check = (dtype: Dtype, value: number) => {
    const data = bytesOf(dtype, [value]);
    const [exact] = elementsOf(dtype, data);
    const text = printed(dtype, value);
    const back = bytesOf(dtype, [Number(text)]);
    if (Buffer.compare(data, back) !== 0 && !Number.isNaN(exact)) return false;
    const digits = digitsOf(text);
    if (typeof exact !== 'number' || !Number.isFinite(exact) || digits <= 1) return true;
    const shorter = Number(exact.toPrecision(digits - 1));
    // One that lies halfway to a neighbour is not to be relied on.
    const near = [shorter * (1 - 2 ** -50), shorter * (1 + 2 ** -50)];
    return near.some((each) => Buffer.compare(data, bytesOf(dtype, [each])) !== 0);
  };
  for (const dtype of ['FP16', 'BF16', 'FP32'] as const) {
    fc.assert(
      fc.property(fc.float(), (value) => check(dtype, value)),
      fuzzRuns(500),
    );
    fc.assert(fc.property(fc.double({ min: 0, max: 1 }), (value) => check(dtype, value)));
  }
  t.equal(printed('FP32', 0.1), '0.1');
  t.equal(printed('FP64', 0.1), '0.1');
  t.equal(printed('FP16', 0.1), '0.1');
  t.equal(printed('FP32', -0), '-0.0');
});

t.test('JSON is read as JSON.parse reads it, but for what that loses', async (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.boolean(), (value, isWide) => {
      const text = JSON.stringify(value, undefined, isWide ? 2 : 0);
      return JSON.stringify(widened(parseExactJson(text))) === JSON.stringify(JSON.parse(text));
    }),
  );
  t.same(parseExactJson('[9007199254740993, NaN, -Infinity, -0]'), [
    9007199254740993n,
    Number.NaN,
    -Infinity,
    -0,
  ]);
  for (const text of [
    '',
    '{',
    '[1,]',
    '{"a":1,}',
    '"a',
    '01',
    '1.',
    'nul',
    '[1 2]',
    '{a:1}',
    '"\n"',
    '[1]]',
    '"\\',
  ]) {
    t.throws(
      () => parseExactJson(text),
      /^Error: not JSON at character \d+: expected|^not JSON/,
      text,
    );
  }
  t.throws(() => parseExactJson('['.repeat(100)), /at most 64 levels/);
});

function widened(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(widened);
  if (typeof value !== 'object' || value === null) return value;
  // By definition, as assigning to `__proto__` would do something else.
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, widened(inner)]));
}

const PAIR: Signature = {
  inputs: [
    { name: 'A', dtype: 'INT64', shape: [-1, 2] },
    { name: 'B', dtype: 'BYTES', shape: [-1, -1] },
  ],
  outputs: [{ name: 'Y', dtype: 'FP32', shape: [-1, 2] }],
};

t.test('a data file is read in all of its forms', async (t) => {
  const b64 = Buffer.from(bytesOf('INT64', [1, 2])).toString('base64');
  const text = `{"data": [
    {"A": [1, 9007199254740993], "B": {"content": ["a", "été"], "shape": [2]}},
    [{"A": {"b64": "${b64}"}, "B": ["c"]},
     {"A": {"content": {"b64": "${b64}"}, "shape": [2]}, "B": ["c"]}],
    {"A": {"content": [[1, 2], [3, 4]], "shape": [2, 2]}, "B": {"b64": "AQAAAGE=", "shape": [1]}}
  ], "validation_data": [{"Y": [0.5, NaN]}, [{"Y": [1, 2]}, {}], {}]}`;
  const samples = dataSamples(text, PAIR, { shapes: { B: [1] } });
  const inputs = samples.map((sample) =>
    sample.inputs.map(({ dtype, data }) => elementsOf(dtype, data)),
  );
  const texts = (...all: string[]) => all.map((each) => Buffer.from(each));
  t.same(
    inputs.map(([a]) => a),
    [
      [1n, 9007199254740993n],
      [1n, 2n],
      [1n, 2n],
      [1n, 2n, 3n, 4n],
    ],
  );
  t.same(
    inputs.map(([, b]) => b?.map((each) => Buffer.from(each as Uint8Array))),
    [texts('a', 'été'), texts('c'), texts('c'), texts('a')],
  );
  t.same(
    samples.map((sample) => sample.inputs.map(({ shape }) => shape)),
    [
      [
        [1, 2],
        [1, 2],
      ],
      [
        [1, 2],
        [1, 1],
      ],
      [
        [1, 2],
        [1, 1],
      ],
      [
        [2, 2],
        [1, 1],
      ],
    ],
  );
  t.same(samples[0]?.expected, [
    { name: 'Y', dtype: 'FP32', shape: [1, 2], data: bytesOf('FP32', [0.5, Number.NaN]) },
  ]);
  t.same(samples[2]?.expected, []);
  const file = path.join(aFolder(t), 'data.json');
  writeFileSync(file, text);
  t.same(await readDataFile(file, PAIR, { shapes: { B: [1] } }), samples);
  await t.rejects(
    readDataFile(file, PAIR, { shapes: {} }),
    /data\.json:\d+:\d+ data\[1\]\[0\]\.B: expected "shape"/,
  );
});

t.test('a mistake in a data file is named with its line and column', async (t) => {
  const file = path.join(aFolder(t), 'data.json');
  const mistakes = [
    ['{"data": [\n  {"A": [1, 2],\n   "B": }', /data\.json:3:9 not JSON .*expected a value/],
    [
      '{"data": [\n  {"A": {"content": ["x"]}, "B": ["c"]}]}',
      /data\.json:2:22 data\[0\]\.A\.content/,
    ],
    [
      '{"data":\n [[{"A": [1, 2], "B": ["c"]}, 7]]}',
      /data\.json:2:31 data\[0\]\[1\]: expected an object/,
    ],
    ['{"data": [],\n"validation_data": 4}', /data\.json:1:10 data: expected at least one entry/],
    ['[]', /data\.json:1:1 the file: expected an object/],
  ] as const;
  for (const [text, message] of mistakes) {
    writeFileSync(file, text);
    await t.rejects(readDataFile(file, PAIR, { shapes: { B: [1] } }), { message }, text);
  }
});

t.test('a mistake in a data file is named with its place', async (t) => {
  const b = '"B": ["c"]';
  const mistakes: readonly (readonly [string, RegExp])[] = [
    ['{"data": [', /^not JSON at character 10/],
    ['[]', /^the file: expected an object, found a list of 0$/],
    ['{"date": []}', /^the file: expected "data", "validation_data", found "date"$/],
    ['{"data": {}}', /^data: expected a list, found an object$/],
    ['{"data": []}', /^data: expected at least one entry/],
    ['{"data": [3]}', /^data\[0\]: expected an object of tensors by name, found 3$/],
    [`{"data": [{${b}}]}`, /^data\[0\]\.A: expected a tensor, found nothing$/],
    [`{"data": [{"A": [1, 2], ${b}, "C": []}]}`, /^data\[0\]: expected "A", "B", found "C"$/],
    [
      `{"data": [{"A": [1, 2, 3], ${b}}]}`,
      /^data\[0\]\.A: expected 2 elements for INT64 \[1,2\], found 3$/,
    ],
    [
      `{"data": [{"A": {"content": [1, 2.5]}, ${b}}]}`,
      /^data\[0\]\.A\.content\[1\]: expected INT64, .* found 2\.5$/,
    ],
    [
      `{"data": [{"A": [1, 9223372036854775808], ${b}}]}`,
      /^data\[0\]\.A\[1\]: .* found 9223372036854775808$/,
    ],
    [`{"data": [{"A": [1, "2"], ${b}}]}`, /^data\[0\]\.A\[1\]: .* found "2"$/],
    [`{"data": [{"A": "12", ${b}}]}`, /^data\[0\]\.A: expected a list of elements, found "12"$/],
    [`{"data": [{"A": {"b64": "AA"}, ${b}}]}`, /^data\[0\]\.A\.b64: expected base64/],
    [
      `{"data": [{"A": {"b64": "AAA="}, ${b}}]}`,
      /^data\[0\]\.A\.b64: expected 16 bytes for INT64 \[1,2\], found 2$/,
    ],
    [
      `{"data": [{"A": {"b64": "", "content": []}, ${b}}]}`,
      /^data\[0\]\.A: expected either content or b64, found both$/,
    ],
    [
      `{"data": [{"A": {"contents": []}, ${b}}]}`,
      /^data\[0\]\.A: expected the keys .*, found "contents"$/,
    ],
    [
      `{"data": [{"A": {"content": [1], "shape": [1]}, ${b}}]}`,
      /^data\[0\]\.A: .*expected a shape like \[-1,2\].*, found \[1\]$/,
    ],
    [
      `{"data": [{"A": {"content": [1], "shape": ["1"]}, ${b}}]}`,
      /^data\[0\]\.A\.shape\[0\]: expected a number, found "1"$/,
    ],
    [`{"data": [{"A": [1, 2], "B": [3]}]}`, /^data\[0\]\.B\[0\]: expected a string, found 3$/],
    [`{"data": [{"A": [1, 2], "B": {"b64": "CAAAAGE="}}]}`, /^data\[0\]\.B\.b64: BYTES element 0/],
    [
      `{"data": [{"A": [1, 2], ${b}}], "validation_data": []}`,
      /^validation_data: expected 1 entries, as in data, found 0$/,
    ],
    [
      `{"data": [{"A": [1, 2], ${b}}], "validation_data": [{"Y": [1, 1e39]}]}`,
      /^validation_data\[0\]\.Y\[1\]: expected a number within the range of FP32/,
    ],
  ];
  for (const [text, message] of mistakes) {
    t.throws(() => dataSamples(text, PAIR, { shapes: { B: [1] } }), { message }, text);
  }
});
