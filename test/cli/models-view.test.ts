import t from 'tap';
import { formatModels } from '../../src/cli/models-commands.ts';
import type { ModelView } from '../../src/models/models-view.ts';

const DIGEST = '37e9c886dec6ee54dc8a2ab690f2c397dfad73b89bf9d82bd698701485a09faa';

function aModel(fields: Partial<ModelView> = {}): ModelView {
  return { model: 'fashion', followsNewest: false, leftAside: [], versions: [], ...fields };
}

t.test('a version is a row, with its share and why it is not served', async (t) => {
  const versions = [
    {
      version: '1',
      state: 'ready',
      roles: [{ role: 'stable' as const, weightBp: 9_250 }, { role: 'rule' as const }],
      batch: 'off, because rows mix',
      provider: 'cpu, because cuda cannot be had (cuda: no device)',
      digest: DIGEST,
    },
    { version: '2', state: 'unloaded', roles: [], digest: DIGEST },
    { version: '3', state: 'refused', roles: [], reason: 'expected a file model.onnx, found none' },
  ];
  const text = formatModels({ models: [aModel({ versions })], isFresh: true });
  t.equal(
    text,
    `MODEL    VERSION  STATE     ROLE                 BATCH  DIGEST        REASON
fashion  1        ready     stable 92.5 %, rule  off    37e9c886dec6
fashion  2        unloaded  -                    -      37e9c886dec6
fashion  3        refused   -                    -      -             expected a file model.onnx, found none

fashion 1: batch off, because rows mix
fashion 1: runs on cpu, because cuda cannot be had (cuda: no device)`,
  );
});

t.test('what concerns whole models, and a slow disk, stand below the table', async (t) => {
  const models = [
    aModel({ reason: 'expected a folder, found none', leftAside: ['2.bak', 'old'] }),
    aModel({ model: 'next', followsNewest: true }),
  ];
  const lines = formatModels({ models, isFresh: false }).split('\n');
  t.same(lines.slice(0, 3), [
    'MODEL    VERSION  STATE    ROLE  BATCH  DIGEST  REASON',
    'fashion  -        refused  -     -      -',
    'next     -        refused  -     -      -',
  ]);
  t.same(lines.slice(3), [
    '',
    'fashion: expected a folder, found none',
    'fashion: left aside, as their names are no version numbers: 2.bak, old',
    'next: follows its newest version, and no proof is asked',
    'The repository takes long to read: this is what was known before.',
  ]);
});
