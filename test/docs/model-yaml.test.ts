import t from 'tap';
import { parse } from 'yaml';
import * as z from 'zod';
import { modelYamlSchema } from '../../src/repository/model-yaml.ts';
import { blocksOf, codeIn, readPage, tableRows } from './page.ts';

const PAGE = 'docs/reference/model-yaml.md';

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
};

type Key = { readonly path: string; readonly schema: Schema };

/** Keys with a value; `compare` as a whole, since its keys are those of the configuration. */
function keysOf({ properties = {} }: Schema, under = ''): readonly Key[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = under + name;
    const isSection = schema.properties !== undefined && path !== 'compare';
    return isSection ? keysOf(schema, `${path}.`) : [{ path, schema }];
  });
}

const keys = keysOf(z.toJSONSchema(modelYamlSchema, { io: 'input' }) as Schema);
const rows = new Map(
  tableRows(readPage(PAGE), 'key').map(([key, value = '']) => [codeIn(key) ?? '', value]),
);

t.test('every key of model.yaml is documented, and no other', async (t) => {
  t.ok(keys.length > 15, `found ${keys.length} keys`);
  t.same([...rows.keys()].sort(), keys.map(({ path }) => path).sort());
});

t.test('the words and ranges of model.yaml are what is documented', async (t) => {
  for (const { path, schema } of keys) {
    const shown = rows.get(path) ?? '';
    if (schema.enum !== undefined) {
      const words = [...shown.matchAll(/`([^`]+)`/g)].map(([, word]) => word);
      t.same(words, schema.enum, path);
    }
    const { minimum, maximum = 0 } = schema;
    if (minimum !== undefined && maximum < 1e9)
      t.match(shown, `${minimum} to ${maximum}`, `range of ${path}`);
  }
});

t.test('the models of the guides and the page are valid', async (t) => {
  const pages = [PAGE, 'docs/guides/max.md'];
  for (const page of pages) {
    const blocks = blocksOf(readPage(page)).filter(({ info }) =>
      page === PAGE ? info === 'yaml' : info === 'yaml model',
    );
    t.ok(blocks.length > 0, page);
    for (const { text, line } of blocks)
      t.doesNotThrow(() => modelYamlSchema.parse(parse(text)), `${page}:${line}`);
  }
});
