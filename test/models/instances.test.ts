import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.ts';
import { checkInstances } from '../../src/models/instances.ts';
import { anEntry, aPackage } from './builders.ts';

const GIB = 1_073_741_824;
const TWO_CORES = { processors: 2, memoryBytes: 4 * GIB };

t.test('as many replicas as a machine can bear are taken, and one more is not', async (t) => {
  const instances = { replicas: 8, intraOpThreads: 2 };
  checkInstances(instances, 0, TWO_CORES);
  t.throws(() => checkInstances({ ...instances, replicas: 9 }, 0, TWO_CORES), {
    message:
      /at most 16 threads on a machine of 2 processors, found 18 \(9 replicas of 2\).*instance_group/,
  });
  checkInstances({ ...instances, replicas: 9 }, 0, { ...TWO_CORES, processors: 4 });
});

t.test('copies that do not fit the memory are refused', async (t) => {
  const instances = { replicas: 3, intraOpThreads: 1 };
  checkInstances(instances, GIB, TWO_CORES);
  t.throws(() => checkInstances(instances, 2 * GIB, TWO_CORES), {
    message: /fit 4096 MiB of memory, found 3 of 2048 MiB/,
  });
});

t.test('a model that asks for too much is refused with the reason, and no other is', async (t) => {
  const section = { instances: { replicas: 256, intraOpThreads: 256 } };
  const settings = { ...aPackage('1').settings, baseConfig: { file: 'config.pbtxt', section } };
  const file = join(
    t.testdir({ 'understudy.yaml': 'apiVersion: understudy/v1\n' }),
    'understudy.yaml',
  );
  const config = await loadConfig(file);
  const refused = anEntry(config, [aPackage('1', { settings })]);
  t.equal(refused.packages.size, 0);
  t.match(refused.problems, [
    { version: undefined, reason: /found 65536 \(256 replicas of 256\)/ },
  ]);
  t.equal(anEntry(config, [aPackage('1')]).packages.size, 1);
});
