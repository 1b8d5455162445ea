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
async function aWorld(changed: readonly string[], sections = 'models: {}') {
  const file = join(folder, 'understudy.yaml');
  await writeFile(file, `apiVersion: understudy/v1\n${sections}\n`);
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

t.test(
  'what a model leaves out is as the file has it for all models, then as the default',
  async (t) => {
    const { parts } = await aWorld(
      [],
      `rollout: { maxDuration: 72h, errorBudget: { falseRollback: 0.01 }, margins: { errors: { ratio: 3 } } }
models: { fashion: { rollout: { intent: improve, errorBudget: { falsePromotion: 0.02 }, margins: { errors: { absolute: 0.01 } } } } }`,
    );
    const spec = await rolloutSpecOf(parts, 'fashion', { candidate: '2', maxDuration: '96h' });
    t.match(spec, {
      intent: 'improve',
      errorBudget: { falseRollback: 0.01, falsePromotion: 0.02 },
      margins: { errors: { ratio: 3, absolute: 0.01 }, labelledLoss: Number },
      maxDurationMs: 96 * 3_600_000,
      onInconclusive: 'pause',
    });
    const other = await rolloutSpecOf(parts, 'speech', { candidate: '2' });
    t.match(other, { intent: 'equivalent', maxDurationMs: 72 * 3_600_000 });
  },
);

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
