import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { ConfigError } from '../../src/config/config-error.ts';
import { DEFAULT_MARGINS, DEFAULTS, defaultSteps } from '../../src/config/defaults.ts';
import { RUNTIME_VARIABLES, readEnvironment } from '../../src/config/environment.ts';
import { loadConfig } from '../../src/config/load.ts';
import { readRolloutFile } from '../../src/config/rollout-file.ts';
import { parseRolloutRequest } from '../../src/config/rollout-spec.ts';
import { jsonSchema } from '../../src/config/schema.ts';
import { latencyBlockMsOf, slowBlockMsOf } from '../../src/core/rollout.ts';
import { projectRoot } from '../support/project-root.ts';
import { blocksOf, codeIn, readPage, sectionsOf, tableRows } from './page.ts';

const PAGE = 'docs/reference/config.md';
const ROLLOUT = 'models.<>.rollout';
const YAML_PAGES = [
  PAGE,
  'docs/guides/first-rollout.md',
  'docs/guides/what-a-verdict-means.md',
  'docs/guides/webhooks.md',
  'docs/guides/security.md',
];

/** The part of JSON Schema that `jsonSchema` uses. */
type Schema = {
  readonly type?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
};

type Key = {
  readonly path: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
};

/** Every key that holds a value, a list or nothing, with `<>` for names of the user's own and `[]` for entries of a list. */
function keysOf({ path: at, schema, isRequired }: Key): readonly Key[] {
  const branches = schema.anyOf ?? [];
  const inner = [schema, ...branches].flatMap((branch) => innerOf(branch, at));
  const isSection = schema.properties !== undefined && Object.keys(schema.properties).length > 0;
  const isNamed = typeof schema.additionalProperties === 'object';
  const isKey = at !== '' && !at.endsWith('[]') && !isSection && !isNamed;
  return [...(isKey ? [{ path: at, schema, isRequired }] : []), ...inner];
}

function innerOf(schema: Schema, at: string): readonly Key[] {
  const { properties = {}, additionalProperties, items, required = [] } = schema;
  const dot = at === '' ? '' : `${at}.`;
  const keys = Object.entries(properties).flatMap(([name, inner]) =>
    keysOf({ path: dot + name, schema: inner, isRequired: required.includes(name) }),
  );
  const named =
    typeof additionalProperties === 'object'
      ? keysOf({ path: `${dot}<>`, schema: additionalProperties, isRequired: false })
      : [];
  const list = items ? keysOf({ path: `${at}[]`, schema: items, isRequired: false }) : [];
  // A list of plain words has no keys of its own.
  return [...keys, ...named, ...list.filter((key) => key.path !== `${at}[]`)];
}

type Row = { readonly type: string; readonly standard: string };

/** The rows of all tables of keys, by path, as the schema writes it. */
function documented(): ReadonlyMap<string, Row> {
  const rows = sectionsOf(readPage(PAGE)).flatMap(({ heading, text }) => {
    const prefix = codeIn(heading);
    return tableRows(text, 'key').map(([key, type = '', standard = '']) => {
      const whole = [prefix, codeIn(key)].filter((part) => part !== undefined).join('.');
      return [whole.replaceAll(/<[^>]+>/g, '<>'), { type, standard }] as const;
    });
  });
  t.equal(new Set(rows.map(([key]) => key)).size, rows.length, 'no key is documented twice');
  return new Map(rows);
}

/** What holds where nothing is written and the schema does not say so, because a request may come between. */
const FILLED_IN: Readonly<Record<string, unknown>> = {
  'server.tls': DEFAULTS.server.tls,
  [ROLLOUT]: DEFAULTS.rollout,
  [`${ROLLOUT}.margins.pairedLatency`]: blockOf(latencyBlockMsOf(DEFAULT_MARGINS)),
  [`${ROLLOUT}.margins.slowRequests`]: blockOf(slowBlockMsOf(DEFAULT_MARGINS)),
  [`${ROLLOUT}.margins`]: DEFAULT_MARGINS,
  [`${ROLLOUT}.slices[]`]: { gate: true, metrics: ['labelledLoss'] },
  [`${ROLLOUT}.slices`]: [],
};

/** A duration is text in the file, and milliseconds inside. */
function blockOf(ms: number): object {
  return { block: `${ms / 1_000}s` };
}

function defaultOf({ path: at, schema }: Key): unknown {
  if (schema.default !== undefined) return schema.default;
  for (const [prefix, values] of Object.entries(FILLED_IN)) {
    if (at === prefix) return values;
    if (!at.startsWith(`${prefix}.`)) continue;
    const found = at
      .slice(prefix.length + 1)
      .split('.')
      .reduce<unknown>((value, part) => (value as Record<string, unknown>)?.[part], values);
    if (found !== undefined) return found;
  }
  return undefined;
}

function written(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

const all = keysOf({ path: '', schema: jsonSchema() as Schema, isRequired: false });
const byPath = new Map(all.map(({ path: at, schema }) => [at, JSON.stringify(schema)]));

/** The defaults for all models are documented with the section of one, `compare` of a rollout with that of a model. */
const keys = all.filter(
  ({ path: at }) =>
    !at.startsWith('rollout.') &&
    !isLike(at, sharedPath(at)) &&
    !at.startsWith(`${ROLLOUT}.compare.`),
);

function sharedPath(at: string): string {
  return at.replace('.compare.outputs.<>.', '.compare.');
}

function isLike(at: string, other: string): boolean {
  return at !== other && byPath.get(at) === byPath.get(other);
}

const rows = documented();

t.test('every key is documented, and no other', async (t) => {
  const known = new Set(keys.map((key) => key.path));
  t.ok(known.size > 60, `found ${known.size} keys`);
  t.same([...rows.keys()].sort(), [...known].sort());
});

t.test(
  'what may be set for the rollouts of all models may be set for one, in the same way',
  async (t) => {
    const shared = all.filter(({ path: at }) => at.startsWith('rollout.'));
    t.ok(shared.length > 20, `found ${shared.length} keys`);
    const own = new Map(all.map(({ path: at, schema }) => [at, schema]));
    for (const { path: at, schema } of shared) t.same(own.get(`models.<>.${at}`), schema, at);
    const compare = all.filter(({ path: at }) => at.startsWith('rollout.compare.'));
    t.ok(compare.length > 10, `found ${compare.length} keys`);
    for (const { path: at, schema } of compare)
      t.same(own.get(at.replace('rollout.', 'models.<>.')), schema, at);
  },
);

t.test('defaults and ranges are what is documented', async (t) => {
  const computed = [`${ROLLOUT}.steps`];
  for (const key of keys) {
    const row = rows.get(key.path);
    const standard = defaultOf(key);
    const expected =
      standard === undefined ? (key.isRequired ? 'required' : 'none') : written(standard);
    if (!computed.includes(key.path)) t.equal(row?.standard, expected, `default of ${key.path}`);
    const { minimum, maximum = Number.MAX_SAFE_INTEGER } = key.schema;
    if (minimum === undefined || maximum === Number.MAX_SAFE_INTEGER) continue;
    t.match(row?.type, `from ${minimum} to ${maximum}`, `range of ${key.path}`);
  }
});

t.test('defaults that are computed are what is documented', async (t) => {
  const page = readPage(PAGE);
  const block = blocksOf(page).find(({ info }) => info === 'yaml default-steps');
  t.same(await stepsIn(block?.text ?? ''), defaultSteps('improve'));
  const other = (block?.text ?? '')
    .replace('labelledLoss, pairedErrors', 'disagreement, pairedErrors')
    .replace(', reject: [liveLoss]', '');
  t.same(await stepsIn(other), defaultSteps('equivalent'));
});

t.test('every variable of the environment is documented, and no other', async (t) => {
  const asked = new Set<string>();
  readEnvironment(new Proxy({}, { get: (_, name) => void asked.add(String(name)) }));
  const named = tableRows(readPage(PAGE), 'variable').map(([cell]) => codeIn(cell));
  t.same(named, [...asked]);
});

t.test('what models get of the environment is documented, and no more', async (t) => {
  const named = tableRows(readPage(PAGE), 'passed on').map(([cell]) => codeIn(cell));
  t.same(named, RUNTIME_VARIABLES);
});

t.test('every YAML block in the documentation loads', async (t) => {
  for (const page of YAML_PAGES) {
    for (const { info, text, line } of blocksOf(readPage(page))) {
      if (!info.startsWith('yaml') || info === 'yaml wrong') continue;
      const load = text.includes('apiVersion:') ? configIn(text) : stepsIn(text);
      await t.resolves(load, `${page}:${line}`);
    }
  }
});

t.test('the guide shows the rollout that it starts', async (t) => {
  const shown = blocksOf(readPage('docs/guides/first-rollout.md')).find(
    ({ info }) => info === 'yaml',
  );
  const file = 'docs/examples/first-rollout.yaml';
  t.equal(readPage(file).replace(/^#.*\n/, ''), shown?.text);
  await t.resolves(stepsOf(path.join(projectRoot, file)));
});

t.test('a wrong file gives the errors that are shown', async (t) => {
  const blocks = blocksOf(readPage(PAGE));
  const at = blocks.findIndex(({ info }) => info === 'yaml wrong');
  const found = await configIn(blocks[at]?.text ?? '').catch((error: unknown) => error);
  t.ok(found instanceof ConfigError);
  const shown = (found as ConfigError).message.replaceAll(/^\S+(understudy\.yaml)/gm, '$1');
  t.equal(`${shown}\n`, blocks[at + 1]?.text);
});

async function configIn(text: string): Promise<unknown> {
  return withFile(text, (file) => loadConfig(file));
}

async function stepsIn(text: string): Promise<unknown> {
  return withFile(text, stepsOf);
}

async function stepsOf(file: string): Promise<unknown> {
  const { source: section } = await readRolloutFile(file);
  return parseRolloutRequest({ candidate: '2', ...section }).overrides.steps;
}

async function withFile<T>(text: string, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'understudy-docs-'));
  try {
    const file = path.join(folder, 'understudy.yaml');
    await writeFile(file, text);
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
