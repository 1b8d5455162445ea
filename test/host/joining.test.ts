import t, { type Test } from 'tap';
import type { HostOptions } from '../../src/host/host.ts';
import { aHost } from '../support/a-host.ts';
import { aFakeSource } from '../support/a-source.ts';
import { valuesOf } from '../support/a-tensor.ts';
import { anInferRequest } from '../support/an-infer-request.ts';
import { until } from '../support/until.ts';

const TO_BE_PROBED: HostOptions['joining'] = { joining: { kind: 'probing' }, probe: true };
const DECLARED: HostOptions['joining'] = {
  joining: { kind: 'declared', doubt: undefined },
  probe: true,
};

async function aProbedHost(t: Test, behaviour: string, given: Partial<HostOptions> = {}) {
  const source = aFakeSource(behaviour);
  return await aHost(t, { source, joining: TO_BE_PROBED, ...given });
}

const ask = (host: Awaited<ReturnType<typeof aProbedHost>>['host'], value: number) =>
  host
    .infer(anInferRequest([value]), new AbortController().signal)
    .then(({ outputs }) => valuesOf(outputs[0])[0]);

for (const tier of ['thread', 'process'] as const) {
  t.test(`${tier}: a model whose rows are apart is probed before it is ready`, async (t) => {
    const { host, log } = await aProbedHost(t, 'scale=2', { tier });
    t.same(host.joining(), { kind: 'probed' });
    t.same(log.joinings, [{ kind: 'probed' }]);
    t.equal(await ask(host, 3), 6);
  });

  t.test(`${tier}: a fixed leading dimension is never joined, even where declared`, async (t) => {
    const { host } = await aProbedHost(t, 'batchable=0', { tier, joining: DECLARED });
    t.match(host.joining(), { kind: 'off', because: /leading dimension/ });
  });

  t.test(`${tier}: a model that is too slow for a probe is served alone`, async (t) => {
    const { host } = await aProbedHost(t, 'delayMs=450', { tier });
    t.match(host.joining(), { kind: 'off', because: /a row takes \d+ ms/, isPassing: true });
    t.equal(await ask(host, 5), 5);
  });
}

t.test('a model that dies of a probe is served, alone', async (t) => {
  const { host, log } = await aProbedHost(t, 'killOn=NaN', { tier: 'process' });
  t.match(host.joining(), { kind: 'off', because: /ended while its rows were probed/ });
  t.equal(host.state().kind, 'ready');
  t.same(log.crashes, []);
  t.equal(await ask(host, 4), 4);
});

t.test('a model that hangs in a probe is served, alone', async (t) => {
  const { host } = await aProbedHost(t, 'hangOn=NaN', { tier: 'process', runMsMax: 400 });
  await until('it is back', () => host.state().kind === 'ready' && host.joining().kind === 'off');
  t.equal(await ask(host, 4), 4);
});

t.test('a declared batch that the probe kills stays declared, with a doubt', async (t) => {
  const { host } = await aProbedHost(t, 'killOn=NaN', { tier: 'process', joining: DECLARED });
  t.match(host.joining(), { kind: 'declared', doubt: /ended while/ });
});
