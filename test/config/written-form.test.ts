import t from 'tap';
import { parseDocument } from 'yaml';

import { ConfigError } from '../../src/config/config-error.ts';
import { configSchema } from '../../src/config/schema.ts';
import { problemsOfForm } from '../../src/config/written-form.ts';
import { parseYamlFile } from '../../src/config/yaml-file.ts';

const parse = (models: string) =>
  parseYamlFile({ file: 'f.yaml', text: `apiVersion: understudy/v1\n${models}` }, configSchema);

function problemOf(models: string): string {
  try {
    parse(models);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'none';
}

const VERSION_PLACES: readonly [string, (version: string) => string][] = [
  ['stable', (version) => `route: { stable: ${version} }`],
  ['a split', (version) => `route: { stable: "1", split: { "1": 50, ${version}: 50 } }`],
  [
    'a rule',
    (version) =>
      `route: { stable: "1", rules: [{ match: { header: { a: b } }, version: ${version} }] }`,
  ],
  [
    'a mirror',
    (version) => `route: { stable: "1", mirror: [{ version: ${version}, percentage: 1 }] }`,
  ],
  ['a list of versions', (version) => `versions: [${version}]`],
];

t.test('a version that YAML reads as another number has to be quoted', (t) => {
  for (const [place, section] of VERSION_PLACES) {
    for (const [version, read] of [
      ['1.0', '1'],
      ['010', '10'],
      ['1e3', '1000'],
      ['0x10', '16'],
    ] as const) {
      const said = problemOf(`models: { m: { ${section(version)} } }`);
      t.match(
        said,
        new RegExp(`in quotes, found ${version}, which YAML reads as ${read}\\.`),
        place,
      );
      t.match(said, /^f.yaml:2:\d+ models\.m\./, place);
      t.equal(problemOf(`models: { m: { ${section(`"${version}"`)} } }`), 'none', place);
    }
    t.equal(problemOf(`models: { m: { ${section('2')} } }`), 'none', place);
  }
  t.equal(
    problemOf('models: { m: { queue: { requestsMax: 1e3 }, batch: { delayMs: 1.0 } } }'),
    'none',
  );
  t.match(problemOf('models: { 010: {} }'), /expected a name in quotes, found 010/);
  t.end();
});

t.test('a section is checked under any name', (t) => {
  for (const name of ['__proto__', '"__proto__"', 'constructor', 'toString', 'hasOwnProperty']) {
    t.match(
      problemOf(`models: { ${name}: { batch: { rowsMax: 0 }, nonsense: 1 } }`),
      /^f.yaml:2:\d+ models\./,
    );
  }
  t.match(problemOf('__proto__: { a: 1 }'), /^f.yaml:2:1 __proto__: expected another name/);
  t.match(problemOf('models: { m: { &a __proto__: {} } }'), /m.__proto__/);
  t.end();
});

t.test('a merge key is refused by name', (t) => {
  const text = 'models:\n  a: &a { batch: off }\n  b:\n    <<: *a\n';
  t.match(problemOf(text), /^f.yaml:5:5 models.b.<<: expected keys written out, found a merge key/);
  t.equal(problemsOfForm(parseDocument(`%YAML 1.1\n---\n<<: {}\n`)).length, 1, 'in YAML 1.1 too');
  t.equal(problemOf('models:\n  a: &a { batch: off }\n  b: *a\n'), 'none', 'an alias is read');
  t.end();
});

t.test('a poll that is false is off', (t) => {
  const never = parse('repository: { path: ./models, poll: off }');
  t.equal(never.repositoryPollMs, undefined);
  t.same(parse('repository: { path: ./models, poll: false }'), never);
  t.match(problemOf('repository: { poll: true }'), /expected off, or a duration .* found true/);
  t.end();
});

t.test('batching that is false is off', (t) => {
  t.same(
    parse('models: { m: { batch: false } }').models['m'],
    parse('models: { m: { batch: off } }').models['m'],
  );
  t.match(
    problemOf('models: { m: { batch: true } }'),
    /expected off, or rowsMax and delayMs, found true/,
  );
  t.end();
});
