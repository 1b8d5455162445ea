import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { checkCycles, checkInnerTables, checkPermissions } from './support/import-graph.ts';
import { projectRoot } from './support/project-root.ts';
import {
  type Confinement,
  checkAreas,
  checkBuiltins,
  checkConfined,
  checkDirections,
  checkFileLength,
  checkFunctionLength,
  checkInnerDirections,
  checkPackages,
  checkTested,
  type ImportTable,
  parseSource,
  type SourceFile,
} from './support/source-rules.ts';
import { asInPage, importTablesIn } from './support/tables-in-page.ts';

/** Who may import what: ARCHITECTURE.md says why. Change both together, or neither. */
const MAY_IMPORT: ImportTable = {
  core: [],
  disk: [],
  frame: ['core'],
  concurrency: ['core'],
  stats: [],
  plots: ['core'],
  config: ['core', 'disk'],
  repository: ['core', 'concurrency', 'config'],
  runtime: ['core'],
  engine: ['core', 'concurrency', 'frame', 'runtime'],
  batching: ['core', 'concurrency'],
  pipeline: ['core', 'concurrency'],
  host: ['core', 'concurrency', 'disk', 'frame', 'batching', 'engine', 'runtime'],
  process: ['core'],
  tls: ['core', 'disk'],
  models: ['core', 'concurrency', 'process', 'config', 'repository', 'host'],
  auth: ['core', 'disk', 'config'],
  gateway: ['core', 'concurrency', 'host'],
  protocol: ['core', 'concurrency', 'gateway'],
  compare: ['core'],
  mirror: ['core'],
  capture: ['core', 'disk'],
  examples: ['core', 'compare', 'disk'],
  trials: ['core', 'compare', 'capture'],
  decide: ['core', 'stats'],
  rollout: ['core', 'concurrency', 'decide', 'ledger'],
  gates: ['core', 'stats', 'config', 'repository', 'compare', 'decide', 'ledger'],
  load: ['core', 'concurrency', 'stats', 'plots'],
  ledger: ['core', 'concurrency', 'disk'],
  console: ['core', 'config', 'examples', 'ledger', 'plots', 'rollout'],
  telemetry: ['core'],
  webhooks: ['core', 'concurrency', 'disk'],
  demo: ['core', 'concurrency', 'disk', 'load', 'repository'],
  cli: [
    'app',
    'auth',
    'config',
    'console',
    'core',
    'concurrency',
    'decide',
    'demo',
    'disk',
    'examples',
    'ledger',
    'load',
    'models',
    'pipeline',
    'process',
    'rollout',
    'runtime',
  ],
  app: '*',
  index: ['core', 'stats', 'app', 'gates', 'config', 'decide'],
};

/** Who may import what inside a folder with several rooms; `.` are its files that stand in none of them. */
const INNER_MAY_IMPORT: Readonly<Record<string, ImportTable>> = {
  load: {
    nouns: [],
    wire: ['nouns'],
    requests: ['nouns', 'wire'],
    target: ['nouns', 'wire'],
    engine: ['nouns', 'wire', 'requests'],
    modes: ['nouns'],
    report: ['nouns'],
    '.': ['nouns', 'engine', 'modes', 'requests', 'target'],
  },
  protocol: { '.': [], rest: ['.'], grpc: ['.'], max: ['.', 'rest'] },
  cli: { '.': ['bench', 'commands'], bench: ['.'], commands: ['.', 'doctor'], doctor: ['.'] },
  compare: {
    '.': ['comparators', 'losses', 'rules-1'],
    comparators: ['.'],
    losses: ['.'],
    'rules-1': ['.'],
  },
  rollout: {
    action: [],
    plan: ['action'],
    history: ['action'],
    evidence: ['action', 'history'],
    reconcile: ['action', 'history'],
    commands: ['action', 'history', 'reconcile'],
    '.': ['action', 'commands', 'evidence', 'history', 'reconcile'],
  },
};

/** Areas of the table whose work has not begun. */
const LATER = ['gates'];

const PACKAGE_HOMES = {
  'onnxruntime-node': ['runtime'],
  piscina: ['engine', 'pipeline', 'repository'],
  sharp: ['pipeline'],
  '@fastify/busboy': ['protocol'],
  fastify: ['protocol', 'console'],
  '@grpc/grpc-js': ['protocol'],
  '@grpc/proto-loader': ['protocol'],
  '@grpc/reflection': ['protocol'],
  'prom-client': ['telemetry'],
  '@opentelemetry/api': ['telemetry'],
  '@opentelemetry/api-logs': ['telemetry'],
  '@opentelemetry/exporter-logs-otlp-grpc': ['telemetry'],
  '@opentelemetry/exporter-logs-otlp-proto': ['telemetry'],
  '@opentelemetry/exporter-metrics-otlp-grpc': ['telemetry'],
  '@opentelemetry/exporter-metrics-otlp-proto': ['telemetry'],
  '@opentelemetry/exporter-trace-otlp-grpc': ['telemetry'],
  '@opentelemetry/exporter-trace-otlp-proto': ['telemetry'],
  '@opentelemetry/sdk-node': ['telemetry'],
  zod: ['config', 'repository'],
  yaml: ['config'],
  protobufjs: ['protocol', 'repository', 'load'],
  commander: ['cli'],
  picocolors: ['cli'],
  'log-update': ['cli'],
  jose: ['auth'],
};

const PURE_AREAS = { core: ['node:crypto'], stats: [], plots: [] };
const CONFINED: readonly Confinement[] = [
  {
    names: ['Date.now', 'new Date()', 'performance.now', 'process.hrtime', 'process.uptime'],
    home: /^src\/core\/clock\.ts$/,
    instead: 'take a Clock',
  },
  { names: ['Math.random'], home: undefined, instead: 'take a Random' },
  { names: ['process.env'], home: /^src\/config\//, instead: 'read it in src/config' },
  { names: ['console.*'], home: /^src\/cli\//, instead: 'print in src/cli' },
];

/** Files that no test of their own folder reaches (entries of processes, say), and the test that runs them. */
const TESTED_BY: Readonly<Record<string, string>> = {
  // Entries of their own threads and processes: started by path, not imported.
  'src/engine/worker.ts': 'test/engine/engine.test.ts',
  'src/repository/inspection.ts': 'test/repository/scan.test.ts',
  'src/repository/reader-main.ts': 'test/repository/reader.test.ts',
  'src/pipeline/worker.ts': 'test/pipeline/codec.test.ts',
  'src/pipeline/read-image.ts': 'test/pipeline/codec.test.ts',
  'src/host/main.ts': 'test/host/host.test.ts',
  'src/cli/doctor/probe.ts': 'test/cli/doctor/doctor.test.ts',
  'src/host/child.ts': 'test/host/host.test.ts',
  'src/load/engine/main.ts': 'test/load/engine/generator.test.ts',
  'src/load/engine/alarm-thread.ts': 'test/load/engine/run-load.test.ts',
  'src/core/webhook.ts': 'test/webhooks/event-of.test.ts',
  // Tested as a user meets them: by the commands that run them.
  'src/cli/main.ts': 'test/cli/commands.test.ts',
  'src/pipeline/image-decoder.ts': 'test/cli/bench.test.ts',
  'src/models/deployer.ts': 'test/app/app.test.ts',
  'src/models/joining-setting.ts': 'test/app/app.test.ts',
  'src/demo/run-demo.ts': 'test/demo/run-demo.test.ts',
  'src/demo/workplace.ts': 'test/demo/run-demo.test.ts',
  'src/demo/images.ts': 'test/demo/run-demo.test.ts',
  'src/demo/traffic.ts': 'test/demo/run-demo.test.ts',
  'src/demo/traffic-process.ts': 'test/demo/run-demo.test.ts',
};

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 60;
/** A test of one long story may be longer. */
const TEST_FUNCTION_LINES_MAX = 120;
const sources = readSources('src');
const tests = readSources('test');
const benches = readSources('bench');

t.test('the rules see the whole tree', async (t) => {
  t.same(checkAreas(sources, MAY_IMPORT, LATER), []);
  t.ok(sources.length > Object.keys(MAY_IMPORT).length, `only ${sources.length} files under src`);
  t.ok(tests.length > Object.keys(MAY_IMPORT).length, `only ${tests.length} files under test`);
});

t.test('the source keeps to the rules', async (t) => {
  t.same(
    sources.flatMap((file) => checkDirections(file, MAY_IMPORT)),
    [],
  );
  t.same(
    sources.flatMap((file) => checkInnerDirections(file, INNER_MAY_IMPORT)),
    [],
  );
  t.same(checkInnerTables(sources, INNER_MAY_IMPORT), []);
  t.same(checkCycles([...sources, ...benches]), []);
  t.same(checkPermissions(sources, MAY_IMPORT, LATER), []);
  t.same(
    sources.flatMap((file) => checkPackages(file, PACKAGE_HOMES)),
    [],
  );
  t.same(
    sources.flatMap((file) => checkBuiltins(file, PURE_AREAS)),
    [],
  );
  t.same(
    sources.flatMap((file) => checkConfined(file, CONFINED)),
    [],
  );
  t.same(checkTested(sources, tests, TESTED_BY), []);
});

t.test('files and functions stay short', async (t) => {
  const all = [...sources, ...tests, ...benches];
  const product = [...sources, ...benches];
  t.same(
    all.flatMap((file) => checkFileLength(file, FILE_LINES_MAX)),
    [],
  );
  t.same(
    product.flatMap((file) => checkFunctionLength(file, FUNCTION_LINES_MAX)),
    [],
  );
  t.same(
    tests.flatMap((file) => checkFunctionLength(file, TEST_FUNCTION_LINES_MAX)),
    [],
  );
});

t.test('ARCHITECTURE.md says of every folder what the tables do', async (t) => {
  const page = readFileSync(path.join(projectRoot, 'ARCHITECTURE.md'), 'utf8');
  const tables = importTablesIn(page);
  const load = tables.at(-1);
  const outer = tables.slice(0, -1).flatMap((table) => Object.entries(table));
  t.strictSame(Object.fromEntries(outer), asInPage(MAY_IMPORT, LATER));
  t.equal(outer.length, new Set(outer.map(([folder]) => folder)).size, 'each folder has one row');
  t.strictSame(load, asInPage(INNER_MAY_IMPORT['load'] ?? {}, ['.']));
});

t.test('ARCHITECTURE.md names no file that is gone', async (t) => {
  const page = readFileSync(path.join(projectRoot, 'ARCHITECTURE.md'), 'utf8');
  const named = [...page.matchAll(/`((?:[\w-]+\/)+[\w-]+\.ts)`/g)].map(([, file = '']) => file);
  t.ok(named.length > 10, `found ${named.length} files`);
  const known = new Set([...sources, ...tests].map((file) => file.path));
  const roots = ['src', 'src/load', '.'];
  t.same(
    named.filter((file) => !roots.some((root) => known.has(path.posix.join(root, file)))),
    [],
  );
});

t.test('an import against the table is caught, however it is written', async (t) => {
  const forbidden = [
    "import { offer } from '../mirror/offer.ts';",
    "import type { Offer } from '../mirror/offer.ts';",
    "import '../mirror/offer.ts';",
    "export { offer } from '../mirror/offer.ts';",
    "const mirror = await import('../mirror/offer.ts');",
    'const mirror = await import(`../mirror/offer.ts`);',
    "type Offer = import('../mirror/offer.ts').Offer;",
    "import mirror = require('../mirror/offer.ts');",
    "const mirror = require('../mirror/offer.ts');",
  ];
  for (const text of forbidden) {
    const complaints = checkDirections(parseSource('src/gateway/serve.ts', text), MAY_IMPORT);
    t.same(complaints, ['src/gateway/serve.ts:1: gateway may not import mirror'], text);
  }
});

t.test('an import that the table allows is let through', async (t) => {
  const text =
    "import type { Host } from '../host/host.ts';\nimport { choose } from './choose.ts';";
  t.same(checkDirections(parseSource('src/gateway/serve.ts', text), MAY_IMPORT), []);
  const root =
    "import { serve } from './gateway/serve.ts';\nimport { tick } from './rollout/tick.ts';";
  t.same(checkDirections(parseSource('src/app.ts', root), MAY_IMPORT), []);
});

t.test('an import that cannot be read, leaves src or has no row is caught', async (t) => {
  const direction = (at: string, text: string) =>
    checkDirections(parseSource(at, text), MAY_IMPORT);
  t.match(direction('src/core/a.ts', 'await import(name);'), [/must name its target/]);
  t.match(direction('src/core/a.ts', "import '../../test/a.ts';"), [/leaves src/]);
  t.match(direction('src/utils/a.ts', ''), [/no row/]);
});

t.test('a package away from its home, or without one, is caught', async (t) => {
  const check = (text: string) =>
    checkPackages(parseSource('src/gateway/a.ts', text), PACKAGE_HOMES);
  t.match(check("import * as ort from 'onnxruntime-node';"), [/belongs to runtime/]);
  t.match(check("import type { FastifyReply } from 'fastify';"), [/belongs to protocol, console/]);
  t.match(check("import x from 'left-pad';"), [/left-pad has no home/]);
  t.match(check("import x from '@scope/name/deep';"), [/@scope\/name has no home/]);
  t.match(check("import fs from 'fs';"), [/fs has no home/]);
  t.same(check("import fs from 'node:fs';"), []);
});

t.test('a built-in in a pure folder is caught', async (t) => {
  const check = (at: string, text: string) => checkBuiltins(parseSource(at, text), PURE_AREAS);
  t.match(check('src/stats/a.ts', "import { createHash } from 'node:crypto';"), [/stats is pure/]);
  t.match(check('src/core/a.ts', "import fs from 'node:fs';"), [/core is pure/]);
  t.same(check('src/core/a.ts', "import { createHash } from 'node:crypto';"), []);
});

t.test(
  'a clock, chance, the environment and the console are caught outside their home',
  async (t) => {
    const forbidden = {
      'Date.now()': 'take a Clock',
      'new Date()': 'take a Clock',
      'performance.now()': 'take a Clock',
      'process.hrtime.bigint()': 'take a Clock',
      'Math.random()': 'take a Random',
      'process.env.HOME': 'read it in src/config',
      "process['env']": 'read it in src/config',
      'globalThis.process.env': 'read it in src/config',
      'const { env } = process': 'read it in src/config',
      "import { env as settings } from 'node:process'": 'read it in src/config',
      "console.error('no')": 'print in src/cli',
    };
    for (const [text, instead] of Object.entries(forbidden)) {
      const complaints = checkConfined(parseSource('src/gateway/a.ts', text), CONFINED);
      t.equal(complaints.length, 1, text);
      t.ok(complaints[0]?.endsWith(instead), text);
    }
    const harmless =
      "new Date(0); clock.now(); Math.max(1, 2); process.exitCode = 1; 'Date.now()';";
    t.same(checkConfined(parseSource('src/gateway/a.ts', harmless), CONFINED), []);
    t.same(checkConfined(parseSource('src/core/clock.ts', 'Date.now();'), CONFINED), []);
  },
);

t.test('a file or a function one line too long is caught', async (t) => {
  const lines = (count: number) => parseSource('src/core/a.ts', 'let a = 1;\n'.repeat(count));
  t.same(checkFileLength(lines(400), 400), []);
  t.match(checkFileLength(lines(401), 400), [/401 lines/]);

  const shapes = [
    'function f() {',
    'const f = () => {',
    'class A {\n  f() {',
    'class A {\n  get f() {',
  ];
  for (const head of shapes) {
    const close = head.startsWith('class') ? '\n}' : '';
    const body = (count: number) =>
      `/** Not\n * counted.\n */\n${head}\n${'g();\n'.repeat(count)}}${close}`;
    const check = (count: number) =>
      checkFunctionLength(parseSource('src/core/a.ts', body(count)), 60);
    t.same(check(58), [], head);
    t.match(check(59), [/a function of 61 lines/], head);
  }
});

t.test('a folder that is missing, or that came early, is caught', async (t) => {
  const files = [parseSource('src/core/a.ts', ''), parseSource('src/app.ts', '')];
  const table = { core: [], stats: [], gates: [], app: '*' } as const;
  t.same(checkAreas(files, table, ['stats', 'gates']), []);
  t.match(checkAreas(files, table, ['gates']), [/saw no file of stats/]);
  t.match(checkAreas(files, table, ['stats', 'gates', 'core']), [/core is here/]);
  t.match(checkAreas([], table, []), [/core/, /stats/, /gates/, /app/]);
});

t.test('a source that no test runs is caught, and a list entry that is not needed', async (t) => {
  const a = parseSource('src/core/a.ts', "import { b } from './inner/b.ts';\nexport const a = b;");
  const b = parseSource('src/core/inner/b.ts', 'export const b = 1;');
  const from = (at: string, what: string) => [
    parseSource(at, `import ${what} from '../../src/core/a.ts';`),
  ];
  const near = from('test/core/a.test.ts', '{ a }');
  const far = from('test/e2e/c.test.ts', '{ a }');
  const untested = [/core\/a.ts: no test under test\/core/, /inner\/b.ts: no test/];
  t.same(checkTested([a, b], near, {}), []);
  t.match(checkTested([a, b], [], {}), untested);
  t.match(checkTested([a, b], far, {}), untested);
  t.match(checkTested([a, b], from('test/core/a.test.ts', 'type { A }'), {}), untested);
  t.same(checkTested([b], far, { 'src/core/inner/b.ts': 'test/e2e/c.test.ts' }), []);
  t.match(checkTested([a], near, { 'src/core/a.ts': 'test/core/a.test.ts' }), [/no list entry/]);
  t.match(checkTested([a], [], { 'src/core/a.ts': 'test/gone.test.ts' }), [/does not exist/]);
  t.same(checkTested([parseSource('src/core/c.ts', 'export type C = 1;')], [], {}), []);
});

function readSources(folder: string): readonly SourceFile[] {
  const names = readdirSync(path.join(projectRoot, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const relative = path.posix.join(folder, name.replaceAll(path.sep, '/'));
      return parseSource(relative, readFileSync(path.join(projectRoot, relative), 'utf8'));
    });
}
