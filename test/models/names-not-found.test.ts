import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Route } from '../../src/core/route.ts';
import { namesNotFound, recordedNotFound } from '../../src/models/names-not-found.ts';
import { overruledRoutes } from '../../src/models/overruled-routes.ts';
import { aRoute } from '../rollout/builders.ts';
import { aCatalog, aModelsConfig } from './builders.ts';

const folder = await mkdtemp(join(tmpdir(), 'understudy-names-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const aConfig = (models: string) => aModelsConfig(folder, models);

t.test(
  'a configured route that the ledger overrules is reported, with how to change it',
  async (t) => {
    const config = await aConfig('{ fashion: { route: { stable: "2" } } }');
    const read = (fields: Partial<Route>) => ({
      read: () => ({ ...aRoute(), ...fields }),
    });
    const toldOf = (fields: Partial<Route>) => overruledRoutes(aCatalog(config), read(fields));
    const mirror = { version: '10', sampleBp: 2_000, twinBp: 0 };
    t.same(toldOf({ stable: '9', mirror }), [
      'models.fashion.route: overridden by the ledger (file: stable 2; ledger: stable 9, 20 % mirrored to 10). To change it: PUT /api/v1/models/fashion/route',
    ]);
    t.same(toldOf({ stable: '2' }), []);
    const unwritten = await aConfig('{}');
    t.same(overruledRoutes(aCatalog(unwritten), read({ stable: '9' })), [], 'nothing was written');
  },
);

t.test('what the configuration names and the repository lacks is found, key by key', async (t) => {
  const written = `{ fashoin: {}, fashion: { route: { stable: "1", split: { "1": 90, "2": 10 },
    rules: [{ match: { header: { x-canary: "yes" } }, version: "7" }],
    mirror: [{ version: "8", percentage: 5 }] } } }`;
  const config = await aConfig(written);
  const found = namesNotFound(config, aCatalog(config));
  t.same(
    found.map((sentence) => [sentence.split(':')[0], /found "(.*?)"/.exec(sentence)?.[1]]),
    [
      ['models.fashoin', 'fashoin'],
      ['models.fashion.route.stable', '1'],
      ['models.fashion.route.split', '1'],
      ['models.fashion.route.rules', '7'],
      ['models.fashion.route.mirror', '8'],
    ],
  );
  const whole = await aConfig('{ fashion: { route: { stable: "2" } } }');
  t.same(namesNotFound(whole, aCatalog(whole)), []);
});

t.test(
  'what the ledger remembers and the repository lacks is found, but reported once',
  async (t) => {
    const config = await aConfig('{ fashion: { route: { stable: "7" } } }');
    const route = aRoute({
      stable: '7',
      shares: [
        { arm: 'stable', version: '2', weightBp: 9_000 },
        { arm: 'other', version: '4', weightBp: 1_000 },
      ],
      mirror: { version: '5', sampleBp: 1_000, twinBp: 0 },
    });
    const known = 'route of fashion: expected a version of the repository ("9", "10", "2")';
    t.same(recordedNotFound(config, aCatalog(config), [route]), [
      `${known}, found "4": requests for it are refused`,
      `${known}, found "5": requests for it are refused`,
    ]);
  },
);
