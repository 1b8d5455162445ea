import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.ts';
import type { LogEntry } from '../../src/core/log.ts';
import { ledgerLifetime } from '../../src/ledger/ledger-lifetime.ts';
import { Catalog } from '../../src/models/catalog.ts';
import { firstChoices, logChoices } from '../../src/models/first-choices.ts';
import { scannedEntry } from '../../src/models/read-catalog.ts';
import { type ScanOptions, scanModel } from '../../src/repository/scan.ts';
import { anIdentityModel } from '../support/a-model-file.ts';
import { aRepository } from './a-control.ts';

const MODEL = anIdentityModel('FP32');
const SHARED_MEMORY = '/dev/shm';
const inMemory = existsSync(SHARED_MEMORY)
  ? {}
  : { skip: 'no file system in memory is known here' };

type Reading = Parameters<typeof scannedEntry>[0];

async function scanned(reading: Reading, model: string, options: ScanOptions) {
  const scan = await scanModel(reading.config.repository, model, options);
  return scannedEntry(reading, model, scan);
}

/** A repository of `m`, `f` and `w`, of which `f` follows its newest version and `w` has a written route. */
async function aWorld(t: Parameters<typeof aRepository>[0], ledger: string) {
  const files = ['m/1', 'm/old', 'f/1', 'w/1'].map((path) => [`${path}/model.onnx`, MODEL]);
  const root = await aRepository(t, Object.fromEntries(files));
  const file = join(root, 'understudy.yaml');
  const models = '{ f: { versions: { latest: 1 } }, w: { route: { stable: "1" } } }';
  await writeFile(
    file,
    `apiVersion: understudy/v1\nrepository: .\nledger: ${ledger}\nmodels: ${models}\n`,
  );
  const config = await loadConfig(file);
  const log: LogEntry[] = [];
  const reading = { config, log: () => undefined };
  const entries = ['m', 'f', 'w'].map((model) => scanned(reading, model, {}));
  const catalog = new Catalog(config, await Promise.all(entries));
  return {
    ...{ config, catalog, ledgerLifetime },
    ...{ told: log, log: (entry: LogEntry) => void log.push(entry) },
  };
}

t.test(
  'a ledger that ends with the machine is reported, where traffic depends on it',
  inMemory,
  async (t) => {
    const folder = await mkdtemp(join(SHARED_MEMORY, 'understudy-ledger-'));
    t.teardown(() => rm(folder, { recursive: true }));
    const world = await aWorld(t, folder);
    await logChoices(world);
    t.match(world.told, [
      {
        level: 'warn',
        message: /^follows its newest version \(configured\): .* without proof$/,
        facts: { model: 'f' },
      },
      {
        level: 'warn',
        message: /^ledger: \S+ is in memory \(tmpfs\) .* set route.stable for m$/,
      },
    ]);
  },
);

t.test('a disk that does not say what it is holds no start', async (t) => {
  const world = await aWorld(t, './ledger');
  await logChoices({ ...world, ledgerLifetime: () => new Promise(() => undefined) });
  t.match(world.told, [{ message: /^follows its newest version/ }]);
  t.equal(world.told.length, 1);
});

t.test('what a route rests on is distinguished', async (t) => {
  const { basisOf } = firstChoices(await aWorld(t, './ledger'));
  t.same(['m', 'f', 'w', 'unread'].map(basisOf), ['nothing', 'newest', 'written', 'nothing']);
});

t.test('a folder that the ledger leads to is a version under any name', async (t) => {
  const { config, catalog } = await aWorld(t, './ledger');
  t.same(catalog.entry('m')?.aside, ['old']);
  const reading = { config, log: () => undefined };
  const { packages, aside } = await scanned(reading, 'm', { named: () => ['old'] });
  t.same([...packages.keys()], ['1', 'old']);
  t.same(aside, []);
});
