import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import type { Deployment } from '../../src/models/deployment.ts';
import { deploymentsOf } from '../../src/models/deployments-of.ts';
import { aRoute } from '../rollout/builders.ts';
import { anEntry, aPackage } from './builders.ts';

const folder = await mkdtemp(join(tmpdir(), 'understudy-deployments-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const packages = ['9', '10', '2'].map((version) => aPackage(version));

async function aConfig(models: string): Promise<Config> {
  const file = join(folder, 'understudy.yaml');
  await writeFile(file, `apiVersion: understudy/v1\nmodels: ${models}\n`);
  return loadConfig(file);
}

t.test('a canary with control has three deployments, and its rules no further ones', async (t) => {
  const route = aRoute({
    shares: [
      { arm: 'stable', version: '1', weightBp: 8_000 },
      { arm: 'candidate', version: '2', weightBp: 1_000 },
      { arm: 'control', version: '1', weightBp: 1_000 },
    ],
    rules: [{ attribute: 'tester', equals: 'yes', version: '2' }],
    aliases: { old: '1' },
  });
  const named = (all: readonly Deployment[]) =>
    all.map(({ target, role }) => `${target.version} ${role}`).sort();
  const entry = anEntry(await aConfig('{}'), [aPackage('1'), aPackage('2')]);
  t.same(named(deploymentsOf(route, entry).required), ['1 control', '1 main', '2 candidate']);
  const rules = [{ attribute: 'tester', equals: 'yes', version: '2' }];
  t.same(named(deploymentsOf(aRoute({ rules }), entry).required), ['1 main', '2 main']);
  t.same(deploymentsOf(aRoute(), entry).resident, [], 'what no route leads to is not loaded');
  const all = anEntry(await aConfig('{ fashion: { versions: all } }'), [
    ...packages,
    aPackage('1'),
  ]);
  t.same(
    named(deploymentsOf(route, all).resident),
    ['10 main', '9 main'],
    'unless the policy says so',
  );
});
