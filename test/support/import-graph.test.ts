import t from 'tap';
import { checkCycles, checkInnerTables, checkPermissions } from './import-graph.ts';
import { checkInnerDirections, parseSource, type SourceFile } from './source-rules.ts';
import { asInPage, importTablesIn } from './tables-in-page.ts';

/** Files by path, each with what it imports; a `type ` in front makes it an import of types. */
function sources(imports: Readonly<Record<string, readonly string[]>>): readonly SourceFile[] {
  return Object.entries(imports).map(([path, targets]) => {
    const lines = targets.map((target) =>
      target.startsWith('type ')
        ? `import type { A } from '${target.slice(5)}';`
        : `import { a } from '${target}';`,
    );
    return parseSource(path, lines.join('\n'));
  });
}

t.test('two files that import each other are caught, be it for types alone', async (t) => {
  const circle = { 'src/a/one.ts': ['./two.ts'], 'src/a/two.ts': ['type ./one.ts'] };
  t.same(checkCycles(sources(circle)), [
    'src/a: a circle of imports: src/a/one.ts -> src/a/two.ts; src/a/two.ts -> src/a/one.ts',
  ]);
  t.same(checkCycles(sources({ 'src/a/one.ts': ['./two.ts'], 'src/a/two.ts': [] })), []);
});

t.test('a circle of many files is caught once, and a second one too', async (t) => {
  const complaints = checkCycles(
    sources({
      'src/a/entry.ts': ['./one.ts'],
      'src/a/one.ts': ['./two.ts', './leaf.ts'],
      'src/a/two.ts': ['./three.ts'],
      'src/a/three.ts': ['./one.ts', './leaf.ts'],
      'src/a/four.ts': ['./five.ts', './one.ts'],
      'src/a/five.ts': ['./four.ts'],
    }),
  );
  t.equal(complaints.length, 2);
  t.match(complaints[0], /one.ts -> .*two.ts; .*two.ts -> .*three.ts; .*three.ts -> .*one.ts$/);
  t.match(complaints[1], /four.ts -> .*five.ts; .*five.ts -> .*four.ts$/);
});

t.test('folders that import each other are caught, though no two of their files do', async (t) => {
  const outer = {
    'src/a/one.ts': ['../b/one.ts'],
    'src/b/one.ts': [],
    'src/b/two.ts': ['../a/two.ts'],
    'src/a/two.ts': [],
  };
  t.match(checkCycles(sources(outer)), [/^src: .*src\/a\/one.ts -> src\/b\/one.ts/]);
  const inner = {
    'src/a/in/one.ts': ['../other/one.ts'],
    'src/a/other/one.ts': [],
    'src/a/other/two.ts': ['type ../in/two.ts'],
    'src/a/in/two.ts': [],
  };
  t.match(checkCycles(sources(inner)), [/^src\/a: .*src\/a\/in\/one.ts -> /]);
});

t.test('a file in a circle with the folder of its name is caught', async (t) => {
  const circle = { 'src/a.ts': ['./a/one.ts'], 'src/a/one.ts': [], 'src/a/two.ts': ['../a.ts'] };
  t.match(checkCycles(sources(circle)), [/^src: a circle of imports: /]);
  // A folder may use files beside it, and another of those may use the folder.
  const page = {
    'src/a/page.ts': ['./panels/one.ts'],
    'src/a/panels/one.ts': ['../rows.ts'],
    'src/a/rows.ts': [],
  };
  t.same(checkCycles(sources(page)), []);
});

t.test('a permission that no file uses is caught, unless a side of it comes later', async (t) => {
  const files = sources({ 'src/a/one.ts': ['../b/one.ts'], 'src/b/one.ts': [], 'src/app.ts': [] });
  const check = (a: readonly string[], later: readonly string[] = []) =>
    checkPermissions(files, { a, b: [], c: ['a'], app: '*' }, later);
  t.same(check(['b'], ['c']), []);
  t.same(check(['b', 'c'], ['c']), []);
  t.same(check(['b', 'd'], ['c']), ['a may import d: no file of it needs that']);
  t.same(check(['b']), ['c may import a: no file of it needs that']);
});

const ROOMS = { engine: ['nouns'], nouns: [], '.': ['engine'] };

t.test('an import against the table of an inner folder is caught', async (t) => {
  const check = (path: string, target: string) =>
    checkInnerDirections(parseSource(path, `import { a } from '${target}';`), { a: ROOMS });
  t.same(check('src/a/nouns/n.ts', '../engine/e.ts'), [
    'src/a/nouns/n.ts:1: a/nouns may not import a/engine',
  ]);
  t.same(check('src/a/engine/deep/e.ts', '../../root.ts'), [
    'src/a/engine/deep/e.ts:1: a/engine may not import a/.',
  ]);
  t.match(check('src/a/loft/l.ts', './m.ts'), [/a\/loft has no row/]);
  t.same(check('src/a/engine/e.ts', '../nouns/n.ts'), []);
  t.same(check('src/a/engine/e.ts', '../../core/n.ts'), []);
  t.same(check('src/a/root.ts', './engine/e.ts'), []);
  t.same(check('src/b/nouns/n.ts', '../engine/e.ts'), []);
});

t.test('a table of inner folders that says too much, or is missing, is caught', async (t) => {
  const files = sources({
    'src/a/root.ts': ['./engine/e.ts'],
    'src/a/engine/e.ts': ['../nouns/n.ts'],
    'src/a/nouns/n.ts': [],
  });
  const check = (rooms: typeof ROOMS) => checkInnerTables(files, { a: rooms });
  t.same(check(ROOMS), []);
  t.match(check({ ...ROOMS, '.': ['engine', 'nouns'] }), [/a: \. may import nouns: no file/]);
  t.match(checkInnerTables(files, { a: { ...ROOMS, loft: [] } }), [/saw no file of loft/]);
  t.match(checkInnerTables(files, {}), [/src\/a: several inner folders, and no table/]);
});

t.test('the tables of a page are read row by row, so that any difference shows', async (t) => {
  const page = [
    '| folder | what it holds | may import |',
    '|---|---|---|',
    '| `core/` | nouns, `x` | nothing |',
    '| `host/` | one | stats, core |',
    '| `app.ts`, `app/` | the root | everything |',
    '',
    '| folder of `load/` | what it holds | may import |',
    '|---|---|---|',
    '| `nouns/` | reports | nothing of `load/` |',
  ].join('\n');
  const [outer, inner] = importTablesIn(page);
  t.strictSame(outer, { core: [], host: ['core', 'stats'], app: '*' });
  t.strictSame(inner, { nouns: [] });
  const table = { core: [], host: ['stats', 'gates', 'core'], app: '*', gates: ['core'] } as const;
  t.strictSame(asInPage(table, ['gates']), outer);
  t.strictNotSame(asInPage({ ...table, host: ['core'] }, ['gates']), outer);
  t.strictNotSame(asInPage(table, []), outer);
});
