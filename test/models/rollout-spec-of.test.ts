import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.ts';
import { Catalog } from '../../src/models/catalog.ts';
import { rolloutSpecOf } from '../../src/models/rollout-spec-of.ts';
import { aRoute } from '../rollout/builders.ts';
import { anEntry, aPackage } from './builders.ts';

const folder = await mkdtemp(join(tmpdir(), 'understudy-spec-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));

/** Stable is version 1; `looked` says which versions were looked for. */
async function aWorld(changed: readonly string[]) {
  const file = join(folder, 'understudy.yaml');
  await writeFile(file, 'apiVersion: understudy/v1\nmodels: {}\n');
  const config = await loadConfig(file);
  const looked: string[] = [];
  const entry = {
    ...anEntry(config, [aPackage('1'), aPackage('2')]),
    changes: changed.map((version) => ({ version, reason: 'its files changed' })),
  };
  const parts = {
    catalog: new Catalog(config, [entry]),
    controller: { route: () => aRoute(), anchorOf: () => '4' },
    lookout: {
      lookAt: async (_: string, names: readonly string[]) => void looked.push(...names),
    },
  };
  return { parts, looked };
}

t.test('a candidate is tried against the present stable version, after a look at it', async (t) => {
  const { parts, looked } = await aWorld([]);
  const spec = await rolloutSpecOf(parts, 'fashion', { candidate: '2' });
  t.match(spec, { model: 'fashion', stable: '1', candidate: '2' });
  t.same(looked, ['2']);
});

t.test('an anchor whose files changed is none to hold a candidate to', async (t) => {
  const { parts } = await aWorld(['4']);
  const improve = { candidate: '2', intent: 'improve' };
  await t.rejects(rolloutSpecOf(parts, 'fashion', improve), { message: /^version 4: its files/ });
  t.ok(await rolloutSpecOf(parts, 'fashion', { ...improve, anchor: { share: 0 } }));
  t.ok(await rolloutSpecOf(parts, 'fashion', { candidate: '2' }), 'equivalence needs no labels');
});

t.test('a version whose files changed since they were read is not tried', async (t) => {
  for (const version of ['1', '2']) {
    const { parts } = await aWorld([version]);
    await t.rejects(rolloutSpecOf(parts, 'fashion', { candidate: '2' }), {
      code: 'conflict',
      message: new RegExp(`^version ${version}: its files changed\\. .* models reload fashion$`),
    });
  }
  const { parts } = await aWorld(['3']);
  t.ok(await rolloutSpecOf(parts, 'fashion', { candidate: '2' }), 'another one may have');
});
