import fc from 'fast-check';
import t from 'tap';
import { parseLabels } from '../../src/repository/label-list.ts';
import { readOnnxSummary } from '../../src/repository/onnx-file.ts';
import { labelsInFile, outputsOfLabels } from '../../src/repository/onnx-labels.ts';
import { varintAt, varintBytes, wireFields } from '../../src/repository/proto-wire.ts';
import { scanModel } from '../../src/repository/scan.ts';
import { anIdentityModel } from '../support/a-model-file.ts';
import { aRepository } from './a-repository.ts';

/** A field of bytes in the wire format. */
function field(number: number, content: Uint8Array | string): Uint8Array {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return Buffer.concat([varintBytes(number * 8 + 2), varintBytes(bytes.length), bytes]);
}

/** A model, with metadata put behind it as exporters do. */
function withMetadata(
  entries: Readonly<Record<string, string | Uint8Array>>,
  model = anIdentityModel('FP32', [-1, 3]),
): Uint8Array {
  const parts = Object.entries(entries).map(([key, value]) =>
    field(14, Buffer.concat([field(1, key), field(2, value)])),
  );
  return Buffer.concat([model, ...parts]);
}

/** A model whose graph has one more node: a classifier with such an attribute. */
function withClassifier(
  operator: string,
  attribute: Uint8Array,
  { domain = 'ai.onnx.ml', model = anIdentityModel('FP32', [-1, 3]) } = {},
): Uint8Array {
  const node = Buffer.concat([field(4, operator), field(5, attribute), field(7, domain)]);
  // A message that comes twice is one message: the node is added to the graph.
  return Buffer.concat([model, field(7, field(1, node))]);
}

const PETS = ['cat', "dog's", 'bird'];

const WRITTEN: readonly (readonly [what: string, text: string])[] = [
  ['as detectors are exported', `{0: 'cat', 1: "dog's", 2: 'bird'}`],
  ['in JSON by number', '{"0": "cat", "1": "dog\'s", "2": "bird"}'],
  ['in a JSON list', '["cat", "dog\'s", "bird"]'],
  ['as Python prints a list', `['cat', "dog's", 'bird',]`],
  ['as Python prints a tuple', `('cat', 'dog\\'s', '\\x62ird')`],
  ['a label a line', "cat\ndog's\r\nbird\n"],
  ['with commas', "cat, dog's,bird"],
];

for (const [what, text] of WRITTEN) {
  t.test(`labels in a file are read ${what}`, (t) => {
    t.same(parseLabels(text), PETS);
    t.same(labelsInFile(withMetadata({ names: text })), { kind: 'labels', labels: PETS });
    t.end();
  });
}

t.test('a class that is left out has no label, and numbers may be labels', (t) => {
  t.same(parseLabels("{2: 'c', 0: 'a'}"), ['a', '', 'c']);
  t.same(parseLabels('[7, 9]'), ['7', '9']);
  t.end();
});

const HOSTILE: readonly (readonly [what: string, value: string | Uint8Array, says: RegExp])[] = [
  ['a number beyond all classes', "{999999999: 'x'}", /at most 100000 labels/],
  ['too many', `[${'1,'.repeat(100_001)}]`, /at most 100000 labels/],
  ['too many lines', 'x\n'.repeat(100_002), /at most 100000 labels/],
  ['one that is too long', `['${'x'.repeat(513)}']`, /label 0: expected at most 512/],
  ['a control character', "['a', '\\x1b[31m']", /label 1: expected text in one line/],
  ['a line end', "['a\\nb']", /label 0: expected text in one line/],
  ['half a surrogate pair', "['\\ud800']", /label 0: expected text in one line/],
  ['nothing', '[]', /expected labels, found none/],
  ['lists in lists', '['.repeat(50_000), /expected a list or a dictionary of texts/],
  ['a number of classes', '10', /found one word/],
  ['code', "{0: __import__('os')}", /expected a list or a dictionary of texts/],
  ['a key of no class', "{'cat': 0}", /expected a class by its number, found cat/],
  ['an end too early', "{0: 'cat'", /expected a list or a dictionary/],
  ['more behind the end', "['a'] + 1", /found more behind the end/],
  ['bytes that are no text', Uint8Array.of(0xff, 0xfe), /encoded data was not valid/],
  ['megabytes', 'x'.repeat(4 * 1024 * 1024 + 1), /at most 4194304 bytes/],
];

for (const [what, value, because] of HOSTILE) {
  t.test(`${what} among labels in a file is left out with the reason`, (t) => {
    t.match(labelsInFile(withMetadata({ names: value })), { kind: 'unusable', because });
    t.end();
  });
}

t.test('the first metadata that is known goes before the others and before a classifier', (t) => {
  const strings = Buffer.concat([
    field(1, 'classlabels_strings'),
    ...PETS.map((pet) => field(9, pet)),
  ]);
  const model = withClassifier('TreeEnsembleClassifier', strings);
  t.same(labelsInFile(model), { kind: 'labels', labels: PETS });
  const both = withMetadata({ id2label: '["x"]', labels: '["y"]', author: 'z' }, model);
  t.same(labelsInFile(both), { kind: 'labels', labels: ['y'] });
  t.equal(labelsInFile(anIdentityModel('FP32')), undefined);
  t.end();
});

t.test('numbers of a classifier are labels unless they count the classes', (t) => {
  const ints = (...numbers: readonly number[]) =>
    Buffer.concat([
      field(1, 'classlabels_int64s'),
      ...numbers.map((number) => Buffer.concat([varintBytes(8 * 8), varintBytes(number)])),
    ]);
  const packed = Buffer.concat([field(1, 'classlabels_ints'), field(8, Uint8Array.of(3, 7, 9))]);
  t.same(labelsInFile(withClassifier('ZipMap', ints(3, 300))), {
    kind: 'labels',
    labels: ['3', '300'],
  });
  t.same(labelsInFile(withClassifier('LinearClassifier', packed)), {
    kind: 'labels',
    labels: ['3', '7', '9'],
  });
  t.equal(labelsInFile(withClassifier('ZipMap', ints(0, 1, 2))), undefined);
  t.equal(labelsInFile(withClassifier('ZipMap', ints(3), { domain: 'other' })), undefined);
  t.end();
});

t.test(
  'labels belong to the outputs of numbers that have so many, or to the only free one',
  (t) => {
    const label = { name: 'label', dtype: 'INT64', shape: [-1] } as const;
    const scores = { name: 'scores', dtype: 'FP32', shape: [-1, 3] } as const;
    const free = { name: 'free', dtype: 'FP32', shape: [-1, -1] } as const;
    const of = (...outputs: Parameters<typeof outputsOfLabels>[1]['outputs']) =>
      outputsOfLabels(PETS, { inputs: [], outputs }).map(({ name }) => name);
    t.same(of(label, scores), ['scores']);
    t.same(of(label, scores, { ...scores, name: 'logits' }), ['scores', 'logits']);
    t.same(of(label, free), ['free']);
    t.same(of(label, free, { ...free, name: 'other' }), [], 'it is unknown which');
    t.same(of(label, { ...scores, dtype: 'BYTES' }), []);
    t.same(of({ ...scores, shape: [1, 84, 8_400] }), [], 'a detector has boxes there');
    t.end();
  },
);

t.test('a package has the labels of its file where it has no label file', async (t) => {
  const model = withMetadata({ names: "{0: 'a', 1: 'b', 2: 'c'}" });
  const root = await aRepository({
    'm/1/model.onnx': model,
    'said/1/model.onnx': model,
    'said/1/model.yaml': 'labels: [x, y, z]',
    'bad/1/model.onnx': withMetadata({ names: '{' }),
  });
  const [found] = (await scanModel(root, 'm')).packages;
  t.same(found?.labelsByOutput, new Map([['y', ['a', 'b', 'c']]]));
  t.equal(found?.labels, undefined, 'trials go by what is written');
  const [said] = (await scanModel(root, 'said')).packages;
  t.same(said?.labelsByOutput, new Map([['y', ['x', 'y', 'z']]]));
  const bad = await scanModel(root, 'bad');
  t.equal(bad.packages.length, 1);
  t.match(bad.notes, [{ message: /model\.onnx: labels in it are left out.*metadata 'names': / }]);
});

t.test('any bytes are read to their end or refused; numbers are as they were written', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      labelsInFile(bytes);
      try {
        const ends = [...wireFields(bytes)].map(({ end }) => end);
        return (ends.at(-1) ?? 0) === bytes.length;
      } catch {
        return true;
      }
    }),
  );
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const bytes = varintBytes(value);
      const read = varintAt(bytes, 0, bytes.length);
      return read.value === value && read.end === bytes.length;
    }),
  );
  t.same(readOnnxSummary(anIdentityModel('FP32')).labels, undefined);
  t.end();
});
