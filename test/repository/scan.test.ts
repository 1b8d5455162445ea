import { execFileSync } from 'node:child_process';
import { appendFile, cp, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { checkUnchanged } from '../../src/repository/check-unchanged.ts';
import { stampOf } from '../../src/repository/digest.ts';
import {
  addInitialiser,
  addNode,
  floats,
  newModel,
  writeModel,
} from '../../src/repository/onnx-writer.ts';
import { type Scan, scanRepository } from '../../src/repository/scan.ts';
import { aRepository, type Files } from './a-repository.ts';

const SIGNATURE = {
  inputs: [{ name: 'x', dtype: 'FP32' as const, shape: [-1, 3] }],
  outputs: [{ name: 'y', dtype: 'FP32' as const, shape: [-1, 3] }],
};

function modelBytes(shift = 1): Uint8Array {
  const model = newModel({ name: 'shifted', ...SIGNATURE });
  addInitialiser(model.graph, floats('shift', [1], [shift]));
  addNode(model.graph, { op: 'Add', inputs: ['x', 'shift'], outputs: ['y'] });
  return writeModel(model);
}

/** What a scan says of one package `m/1` of these files, without the folder's name. */
async function scanOf(files: Files): Promise<Scan & { readonly said: readonly string[] }> {
  const root = await aRepository(
    Object.fromEntries(Object.entries(files).map(([path, content]) => [`m/1/${path}`, content])),
  );
  const scan = await scanRepository(root);
  return {
    ...scan,
    said: scan.problems.map(({ where, message }) => `${where.slice(root.length)}: ${message}`),
  };
}

t.test('every version of every model is found, in order', async (t) => {
  const model = modelBytes();
  const root = await aRepository({
    'README.md': 'a file of the repository',
    'b/10/model.onnx': model,
    'b/9/model.onnx': model,
    'b/2024-rc/model.onnx': model,
    'b/README.md': 'a file of the model',
    'a/1/model.onnx': model,
    '.git/1/model.onnx': model,
    '_data/1/model.onnx': model,
    'a/_draft/model.onnx': model,
  });
  await symlink(join(root, 'nowhere'), join(root, 'a', 'broken'));
  const { packages, problems } = await scanRepository(root);
  t.same(
    packages.map(({ model: name, version }) => `${name}/${version}`),
    ['a/1', 'b/9', 'b/10'],
  );
  t.same(problems, []);
});

t.test('a name that is no number is a version only where it is named', async (t) => {
  const model = modelBytes();
  const names = ['1', '2.bak', 'old', '002', '0', '-1', '1e3'];
  const root = await aRepository(
    Object.fromEntries(names.map((name) => [`m/${name}/model.onnx`, model])),
  );
  const found = await scanRepository(root);
  t.same(
    found.packages.map(({ version }) => version),
    ['1'],
  );
  t.same(found.problems, []);
  t.same(found.aside, [{ model: 'm', names: ['-1', '0', '002', '1e3', '2.bak', 'old'] }]);
  t.equal(found.notes.length, 1, 'one line says so');
  t.match(found.notes[0]?.message, /^left aside, .*: -1, 0, 002, 1e3, 2\.bak, old$/);
  const named = await scanRepository(root, { named: () => ['002', 'old', 'absent'] });
  t.same(
    named.packages.map(({ version }) => version),
    ['1', '002', 'old'],
  );
});

t.test('dangling links, loops and empty folders are reported with the reason', async (t) => {
  const root = await aRepository({ 'm/1/model.onnx': modelBytes(), 'named/old/model.onnx': 'x' });
  await mkdir(join(root, 'empty'));
  await mkdir(join(root, 'lost+found'));
  await symlink('nowhere', join(root, 'dangling'));
  await symlink('loop', join(root, 'loop'));
  await symlink('nowhere', join(root, 'm/2'));
  await symlink('nowhere', join(root, 'm/spare'));
  await mkdir(join(root, 'm/3'));
  const { packages, problems } = await scanRepository(root);
  t.same(
    packages.map(({ version }) => version),
    ['1'],
    'and the others are served',
  );
  const expected = 'expected a folder for each version, called as a number such as 1, found';
  t.same(
    problems.map(({ where, message }) => `${where.slice(root.length + 1)}: ${message}`),
    [
      'dangling: expected a folder, found a link to something that is not there',
      'loop: expected a folder, found a link that leads back to itself',
      `empty: ${expected} none`,
      'm/2: expected a folder, found a link to something that is not there',
      'm/3: expected a file model.onnx, found none',
      `named: ${expected} old`,
    ],
  );
});

t.test('a version that is written while it is read is none yet', async (t) => {
  const root = await aRepository({ 'm/1/model.onnx': modelBytes(), 'm/1/notes.txt': '' });
  let isWriting = true;
  const writing = (async () => {
    for (let at = 0; isWriting; at += 1) await appendFile(join(root, 'm/1/notes.txt'), `${at}`);
  })();
  const { packages, problems } = await scanRepository(root);
  isWriting = false;
  await writing;
  t.same(packages, []);
  t.match(problems, [{ message: /expected files at rest, found changes while they were read/ }]);
  t.equal((await scanRepository(root)).packages.length, 1, 'and one once it is whole');
});

t.test('what was read before is not read again where its files are the same', async (t) => {
  const root = await aRepository({
    'm/1/model.onnx': modelBytes(),
    'm/2/model.onnx': modelBytes(),
  });
  const [first] = (await scanRepository(root)).packages;
  // A digest that no file has: a scan that reports it did not read the files.
  const known = ({ version }: { version: string }) =>
    version === '1' && first ? { ...first, digest: 'as remembered' } : undefined;
  const again = await scanRepository(root, { known });
  t.equal(again.packages[0]?.digest, 'as remembered');
  t.equal(again.packages[1]?.digest, first?.digest);
  await writeFile(join(root, 'm/1/model.yaml'), 'task: other');
  const changed = await scanRepository(root, { known });
  t.match(changed.packages[0], { digest: /^[0-9a-f]{64}$/, task: 'other' });
});

t.test('a folder with nothing but the model is a package', async (t) => {
  const bytes = modelBytes();
  const { packages } = await scanOf({ 'model.onnx': bytes });
  t.match(packages[0], {
    model: 'm',
    version: '1',
    bytes: bytes.length,
    digest: /^[0-9a-f]{64}$/,
    models: [{ name: 'm', file: /\/m\/1\/model\.onnx$/ }],
    signature: SIGNATURE,
    task: undefined,
    labels: undefined,
    compare: undefined,
  });
});

t.test('model.yaml says what the model file cannot', async (t) => {
  const { packages, said } = await scanOf({
    'model.onnx': modelBytes(),
    'labels.txt': 'cat\r\ndog\ncow\n',
    'model.yaml':
      'task: classification\nlabels: labels.txt\ncompare: { comparator: rankedClasses, topK: 2, outputs: { y: { nonFinite: allow } } }\n' +
      'licence: MIT\nprovenance: { seed: 7, command: make }\n',
  });
  t.same(said, []);
  t.match(packages[0], {
    task: 'classification',
    labels: ['cat', 'dog', 'cow'],
    compare: { comparator: 'rankedClasses', topK: 2, outputs: { y: { nonFinite: 'allow' } } },
    licence: 'MIT',
    provenance: { seed: 7, command: 'make' },
  });
});

t.test('the digest follows the files, not the place', async (t) => {
  const files = { 'm/1/model.onnx': modelBytes(), 'm/1/cards/card.md': 'fine' };
  const root = await aRepository({
    ...files,
    'm/3/model.onnx': modelBytes(2),
    'm/3/cards/card.md': 'fine',
  });
  await cp(join(root, 'm/1'), join(root, 'm/2'), { recursive: true });
  await writeFile(join(root, 'm/2/.DS_Store'), 'left by a file browser');
  await cp(join(root, 'm/1'), join(root, 'm/4'), { recursive: true });
  await writeFile(join(root, 'm/4/cards/card.md'), 'changed');
  const { packages } = await scanRepository(root);
  const [first, copy, otherWeights, otherCard] = packages.map(({ digest }) => digest);
  t.equal(copy, first);
  t.equal(new Set([first, otherWeights, otherCard]).size, 3);
});

t.test('files that hold what was read of them may be loaded, and no others', async (t) => {
  const root = await aRepository({ 'm/1/model.onnx': modelBytes(), 'm/1/card.md': 'fine' });
  const [found] = (await scanRepository(root)).packages;
  if (found === undefined) throw new Error('expected a package');
  const check = checkUnchanged(found);
  await check();
  await writeFile(join(root, 'm/1/card.md'), 'fine');
  t.not(await stampOf(found.directory), found.stamp, 'rewritten');
  await check();
  await writeFile(join(root, 'm/1/model.onnx'), modelBytes(2));
  for (const _ of [1, 2]) await t.rejects(check(), { message: /^its files changed since/ });
  await writeFile(join(root, 'm/1/model.onnx'), modelBytes());
  await check();
  await rm(join(root, 'm/1/card.md'));
  await t.rejects(check());
});

const HALF: readonly {
  readonly title: string;
  readonly files: Files;
  readonly says: string | RegExp;
}[] = [
  {
    title: 'a package without its model',
    files: { 'model.yaml': 'task: classification\n' },
    says: '/m/1: expected a file model.onnx, found none',
  },
  {
    title: 'an empty model file',
    files: { 'model.onnx': '' },
    says: '/m/1: model.onnx: expected an ONNX model, found an empty file',
  },
  {
    title: 'a model file cut off',
    files: { 'model.onnx': modelBytes().subarray(0, 60) },
    says: /^\/m\/1: model\.onnx: expected an ONNX model, found 60 bytes that are none or are cut off/,
  },
  {
    title: 'a model.yaml with an unknown key',
    files: { 'model.onnx': modelBytes(), 'model.yaml': 'task: classification\nlables: [a]\n' },
    says: '/m/1: model.yaml:2:1 lables: unknown key "lables". Did you mean "labels"?',
  },
  {
    title: 'labels that are missing',
    files: { 'model.onnx': modelBytes(), 'model.yaml': 'labels: labels.txt\n' },
    says: /^\/m\/1: expected the labels in labels\.txt: ENOENT/,
  },
  {
    title: 'labels outside the package',
    files: { 'model.onnx': modelBytes(), 'model.yaml': 'labels: ../2/labels.txt\n' },
    says: '/m/1: expected a path inside the package, found ../2/labels.txt',
  },
  {
    title: 'labels with a gap',
    files: { 'model.onnx': modelBytes(), 'model.yaml': 'labels: l.txt\n', 'l.txt': 'a\n\nc\n' },
    says: '/m/1: l.txt: expected a label on line 2, found none',
  },
  {
    title: 'labels that do not fit the output',
    files: { 'model.onnx': modelBytes(), 'model.yaml': 'labels: [a, b]\n' },
    says: '/m/1: expected as many labels as an output has classes, found 2 for y [-1,3]',
  },
];

for (const { title, files, says } of HALF) {
  t.test(`${title} is a problem that names what was expected`, async (t) => {
    const { packages, said } = await scanOf(files);
    t.same(packages, []);
    t.match(said, [says]);
    t.equal(said.length, 1);
  });
}

t.test('weights in files next to the model must be there', async (t) => {
  const model = newModel({ name: 'external', ...SIGNATURE });
  addNode(model.graph, { op: 'Add', inputs: ['x', 'shift'], outputs: ['y'] });
  const external = { name: 'shift', dims: [1], data_type: 1, data_location: 1 };
  const entry = { external_data: [{ key: 'location', value: 'weights.bin' }] };
  model.graph.initializer.push({ ...external, ...entry });
  const bytes = writeModel(model);
  const { said } = await scanOf({ 'model.onnx': bytes });
  t.same(said, ['/m/1: model.onnx: expected its weights in weights.bin, found no such file']);
  const whole = await scanOf({ 'model.onnx': bytes, 'weights.bin': new Uint8Array(4) });
  t.same(whole.said, []);
});

t.test('one bad package does not keep the others', async (t) => {
  const root = await aRepository({
    'm/1/model.onnx': modelBytes(),
    'm/2/model.onnx': modelBytes(),
    'm/3/model.onnx': modelBytes(),
  });
  await truncate(join(root, 'm/2/model.onnx'), 10);
  const { packages, problems } = await scanRepository(root);
  t.same(
    packages.map(({ version }) => version),
    ['1', '3'],
  );
  t.same(
    problems.map(({ where }) => where),
    [join(root, 'm/2')],
  );
});

t.test('a repository that is not there is a problem', async (t) => {
  const { packages, problems } = await scanRepository('/nowhere/at/all');
  t.same(packages, []);
  t.match(problems, [
    { where: '/nowhere/at/all', message: /^expected a directory that can be read: ENOENT/ },
  ]);
});

for (const name of ['model.onnx', 'model.yaml', 'extra.bin'])
  t.test(
    `a pipe in the place of ${name} is refused unopened, and the others are read`,
    async (t) => {
      const root = await aRepository({
        'a/1/model.onnx': modelBytes(),
        'z/1/model.onnx': modelBytes(),
      });
      const pipe = join(root, 'a/1', name);
      await rm(pipe, { force: true });
      execFileSync('mkfifo', [pipe]);
      const { packages, problems } = await scanRepository(root);
      t.same(
        packages.map(({ model }) => model),
        ['z'],
      );
      t.match(problems, [
        {
          where: join(root, 'a/1'),
          message: `expected a regular file ${name}, found a named pipe`,
        },
      ]);
    },
  );
