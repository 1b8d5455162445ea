import { open } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { ConfigError } from '../../src/config/config-error.ts';
import { readConfigPbtxt } from '../../src/repository/config-pbtxt.ts';
import { placeOf } from '../../src/repository/pbtxt-places.ts';
import { tokensOf } from '../../src/repository/pbtxt-tokens.ts';
import { scanModel } from '../../src/repository/scan.ts';
import { anIdentityModel } from '../support/a-model-file.ts';
import { fuzzRuns } from '../support/fuzz-runs.ts';
import { aRepository } from './a-repository.ts';

const read = (text: string) => readConfigPbtxt({ file: 'config.pbtxt', text });

const FORMS: readonly { readonly form: string; readonly text: string; readonly config: object }[] =
  [
    { form: 'comments', text: '# a\nname: "m" # b\n#', config: { name: 'm' } },
    { form: 'a byte order mark', text: '\ufeffname: "m"', config: { name: 'm' } },
    { form: 'hexadecimal numbers', text: 'max_batch_size: 0x10', config: { max_batch_size: 16 } },
    { form: 'octal numbers', text: 'max_batch_size: 010', config: { max_batch_size: 8 } },
    { form: 'an empty list', text: 'input [ ] name: "m"', config: { name: 'm' } },
    {
      form: 'semicolons',
      text: 'name: "m"; max_batch_size: 1;',
      config: { name: 'm', max_batch_size: 1 },
    },
    { form: 'strings in pieces', text: 'name: "a" \'b\'', config: { name: 'ab' } },
    { form: 'angle brackets', text: 'input < name: "x" >', config: { input: [{ name: 'x' }] } },
    {
      form: 'enumerations by number',
      text: 'input { data_type: 11 }',
      config: { input: [{ data_type: 'TYPE_FP32' }] },
    },
  ];

for (const { form, text, config } of FORMS) {
  t.test(`the text may have ${form}`, (t) => {
    t.same(read(text), config);
    t.end();
  });
}

const MALFORMED: readonly (readonly [what: string, text: string, says: RegExp])[] = [
  ['messages 10,000 deep', 'input { '.repeat(10_000), /:1:1 unknown key "input"/],
  ['lists 10,000 deep', `input ${'['.repeat(10_000)}`, /:1:1 expected message value/],
  ['a zero byte in a name', 'name\0: "m"', /:1:5 illegal field name 'name.*, found "name\\u0000/],
  ['a string without end', "name: 'm\nmax_batch_size: 1", /:1:7 illegal string/],
  ['a list with a hole', 'input [ { dims: [1,2,] } ]', /:1:22 integer value expected/],
  ['a list for a single value', 'max_batch_size: [ 1 ]', /:1:17 .*list value/],
  ['a fraction', 'max_batch_size: 1.0', /:1:17 integer value expected/],
  ['a word for a truth', 'input { name: "x" optional: yes }', /:1:29 bool value expected/],
  ['brackets of two kinds', 'input { name: "x" >', /:1:19 illegal field name '>'/],
  ['a bracket too many', 'name: "m"\n}', /:2:1 illegal field name '}'/],
  [
    'a field that it has twice',
    'name: "a"  name: "b"',
    /:1:18 ModelConfig\.name: expected it once/,
  ],
  ['JSON', '{"name": "m"}', /:1:1 illegal field name '{'/],
  ['YAML', 'name: m', /:1:5 expected string/],
  ['half a surrogate pair', 'name: "\ud800"', /:1:7 invalid UTF-8 string/],
  ['a key of the language itself', 'constructor: 1', /:1:1 unknown key "constructor"/],
];

for (const [what, text, says] of MALFORMED) {
  t.test(`${what}: refused at its line and column`, (t) => {
    t.throws(() => read(text), { name: 'ConfigError', message: says });
    t.end();
  });
}

t.test('a message stays short, and quick to make, for any input', (t) => {
  const startedMs = performance.now();
  for (const text of [`${'a'.repeat(900_000)}: 1`, `name: "${'b'.repeat(900_000)}`]) {
    try {
      read(text);
      t.fail('expected a refusal');
    } catch (error) {
      t.ok(error instanceof ConfigError && error.message.length < 800);
    }
  }
  t.ok(performance.now() - startedMs < 20_000);
  t.end();
});

t.test('any text is read, or refused with a place inside it', (t) => {
  const piece = fc.constantFrom(
    ...['name', 'input', 'dims', 'reshape', 'parameters', 'key', ':', '{', '}', '[', ']', '<', '>'],
    ...[
      '"x"',
      "'y",
      '1',
      '-1',
      '0x1F',
      '1e9',
      ',',
      ';',
      '#',
      '\n',
      ' ',
      '\0',
      '\\',
      '\ufeff',
      '[a.b/c]',
    ],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join(' ');
      t.equal([...tokensOf(text)].map((token) => token.text).join(''), text);
      placeOf(text, 'input "x": dims: wrong');
      try {
        read(text);
      } catch (error) {
        const [problem] = error instanceof ConfigError ? error.problems : [];
        const lines = text.split('\n');
        const line = lines[(problem?.line ?? 0) - 1];
        return (
          line !== undefined &&
          (problem?.column ?? 0) >= 1 &&
          (problem?.column ?? 0) <= line.length + 1
        );
      }
      return true;
    }),
    fuzzRuns(300),
  );
  t.end();
});

const CONFIG = `name: "m"  # input: "x"
input [
  { name: "w" dims: [ 1 ] },
  { name: "x" data_type: TYPE_FP32
    dims: [ 1 ] }
]
output { name: "x" label_filename: "a.txt" }
dynamic_batching { priority_levels: 2
  default_priority_level: 3 }
`;

const PLACES: readonly (readonly [message: string, line: number, column: number])[] = [
  ['name: expected "n"', 1, 1],
  ['input "x": expected FP32', 4, 5],
  ['input "x": data_type: expected one of', 4, 15],
  ['input "x": dims: wrong', 5, 5],
  ['input "w": expected FP32', 3, 5],
  ['label_filename of output "x": expected a file', 7, 20],
  ['dynamic_batching.default_priority_level: expected 1 to 2', 9, 3],
];

for (const [message, line, column] of PLACES) {
  t.test(`what "${message}" speaks of stands at ${line}:${column}`, (t) => {
    t.same(placeOf(CONFIG, message), { line, column });
    t.end();
  });
}

t.test('what the text does not have has no place', (t) => {
  for (const message of ['backend: expected', 'input "z": expected', 'no field at all']) {
    t.equal(placeOf(CONFIG, message), undefined);
  }
  t.end();
});

t.test('files that are far too long are refused before they are read', async (t) => {
  const root = await aRepository({
    'config/1/model.onnx': anIdentityModel('FP32'),
    'labels/1/model.onnx': anIdentityModel('FP32'),
    'labels/config.pbtxt': 'output { name: "y" label_filename: "l.txt" }',
    'yaml/1/model.onnx': anIdentityModel('FP32'),
  });
  // Nothing is written of them: they take no room on the disk, and would take gigabytes of memory.
  for (const path of ['config/config.pbtxt', 'labels/l.txt', 'yaml/1/model.yaml']) {
    const file = await open(join(root, path), 'w');
    await file.truncate(3 * 1024 ** 3);
    await file.close();
  }
  const said = async (model: string) => (await scanModel(root, model)).problems[0]?.message ?? '';
  t.match(await said('config'), /config\.pbtxt: expected at most 1048576 bytes, found 3221225472/);
  t.match(await said('labels'), /l\.txt: expected at most 16777216 bytes/);
  t.match(await said('yaml'), /model\.yaml: expected at most 16777216 bytes/);
});
