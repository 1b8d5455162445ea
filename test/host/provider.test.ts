import t from 'tap';
import { aHost } from '../support/a-host.ts';
import { aModelFile, aSlowModel } from '../support/a-model-file.ts';
import { anOnnxSource } from '../support/a-source.ts';
import { until } from '../support/until.ts';

// No graphics card where the tests run: the first provider cannot be had.
const ON_CUDA = anOnnxSource(aModelFile(aSlowModel(1)), { providers: ['cuda'], strict: false });
const FELL_BACK = { requested: ['cuda'], actual: 'cpu', fallbackReason: /^cuda: / };

for (const tier of ['thread', 'process'] as const) {
  t.test(`a host in a ${tier} says that it does not run on what was asked for`, async (t) => {
    const { host, log } = await aHost(t, { tier, source: ON_CUDA });
    t.match(host.provider(), FELL_BACK);
    t.match(log.providers, [FELL_BACK]);
  });
}

t.test('a process that is started again says once more what it runs on', async (t) => {
  const { host, log } = await aHost(t, { tier: 'process', source: ON_CUDA });
  process.kill(host.pid() ?? 0, 'SIGKILL');
  await until('it is loaded again', () => log.providers.length > 1);
  t.match(log.providers[1], FELL_BACK);
});
