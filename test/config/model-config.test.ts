import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.ts';
import { type Config, checkSection, modelConfig } from '../../src/config/schema.ts';

const directory = await mkdtemp(join(tmpdir(), 'model-config-'));
t.teardown(() => rm(directory, { recursive: true, force: true }));

/** Loads a file with these sections of models. */
async function load(models: string): Promise<Config> {
  const file = join(directory, 'understudy.yaml');
  await writeFile(file, `apiVersion: understudy/v1\nmodels:\n${models}`);
  return loadConfig(file);
}

t.test('batching can be off, and versions all or the latest few', async (t) => {
  const config = await load(
    `  a: { batch: off, versions: all }\n  b: { versions: { latest: 3 } }\n`,
  );
  t.same(modelConfig(config, 'a').batch, { rowsMax: 0, delayMs: 0, declared: true });
  t.same(modelConfig(config, 'a').versions, { kind: 'all' });
  t.same(modelConfig(config, 'b').versions, { kind: 'latest', count: 3 });
});

t.test(
  "what is written goes before a model's own file, key by key, and that before the defaults",
  async (t) => {
    const config = await load(`  fashion:\n    batch: { delayMs: 3 }\n    versions: all\n`);
    const baseConfig = {
      file: 'config.pbtxt',
      section: {
        batch: { rowsMax: 8, delayMs: 1 },
        queue: { requestsMax: 7, priorityLevels: 3, defaultPriority: 3 },
        versions: ['1', '2'],
      },
    };
    const model = modelConfig(config, 'fashion', baseConfig);
    t.same(model.batch, { rowsMax: 8, delayMs: 3, declared: true });
    t.match(model.queue, {
      requestsMax: 7,
      deadlineMs: 1_000,
      priorityLevels: 3,
      defaultPriority: 3,
    });
    t.same(model.versions, { kind: 'all' });
    t.equal(modelConfig(config, 'fashion', baseConfig), model, 'and is worked out once');
    t.same(modelConfig(config, 'unnamed', baseConfig).batch, {
      rowsMax: 8,
      delayMs: 1,
      declared: true,
    });
    const off = { file: 'config.pbtxt', section: { batch: 'off' } };
    t.same(modelConfig(config, 'unnamed', off).batch, { rowsMax: 0, delayMs: 0, declared: true });
    t.same(modelConfig(config, 'fashion', off).batch, { rowsMax: 32, delayMs: 3, declared: false });
  },
);

t.test("a model's own file that contradicts what is written is named", async (t) => {
  const config = await load(`  fashion:\n    queue: { defaultPriority: 5 }\n`);
  const baseConfig = { file: 'config.pbtxt', section: { queue: { priorityLevels: 2 } } };
  t.throws(() => modelConfig(config, 'fashion', baseConfig), {
    name: 'ConfigError',
    message:
      'config.pbtxt:1:1 models.fashion.queue.defaultPriority: expected one of the 2 priorityLevels, found 5',
  });
  t.throws(() => checkSection({ file: 'config.pbtxt', section: { batch: { rowsMax: -1 } } }), {
    message: /^config\.pbtxt:1:1 batch\.rowsMax: expected a whole number of rows/,
  });
});
