import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { initialRoutes } from '../../src/models/initial-routes.ts';
import { aCatalog, aModelsConfig } from './builders.ts';

const folder = await mkdtemp(join(tmpdir(), 'understudy-routes-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const aConfig = (models: string) => aModelsConfig(folder, models);

t.test('a model without configuration sends all traffic to its newest version', async (t) => {
  const [route] = initialRoutes(aCatalog(await aConfig('{}')));
  t.equal(route?.stable, '10', 'versions are numbers where they look like them');
  t.same(route?.shares, [{ arm: 'stable', version: '10', weightBp: 10_000 }]);
});

t.test('a written split is kept, and only the stable share of it is called stable', async (t) => {
  const written = '{ fashion: { route: { stable: "2", split: { "2": 95, "9": 5 } } } }';
  const [route] = initialRoutes(aCatalog(await aConfig(written)));
  t.same(
    new Set(route?.shares),
    new Set([
      { arm: 'stable', version: '2', weightBp: 9_500 },
      { arm: 'other', version: '9', weightBp: 500 },
    ]),
  );
  const [again] = initialRoutes(aCatalog(await aConfig(written)));
  t.equal(again?.salt, route?.salt, 'a restart sends every unit where it went before');
});
