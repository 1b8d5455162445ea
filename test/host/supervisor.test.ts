import t from 'tap';
import { deferred } from '../../src/concurrency/deferred.ts';
import type { Host } from '../../src/host/host.ts';
import { aHost } from '../support/a-host.ts';
import { aFakeSource } from '../support/a-source.ts';
import { anInferRequest } from '../support/an-infer-request.ts';
import { until } from '../support/until.ts';

/** The code of the error that a request ends with, or that it was answered. */
function ending(host: Host, value: number): Promise<string> {
  return host.infer(anInferRequest([value]), new AbortController().signal).then(
    () => 'answer',
    (error: { code?: string }) => error.code ?? String(error),
  );
}

for (const tier of ['thread', 'process'] as const) {
  t.test(`${tier}: files that are not what was read are not loaded`, async (t) => {
    const checkFiles = () => Promise.reject(new Error('they were changed'));
    await t.rejects(aHost(t, { tier, checkFiles }), {
      code: 'version_not_ready',
      message: 'm version 1 cannot be served: they were changed',
    });
  });
}

t.test('files that change under a process are not loaded after its death', async (t) => {
  let areChanged = false;
  const checkFiles = async (): Promise<void> => {
    if (areChanged) throw new Error('they were changed');
  };
  const source = aFakeSource('killOn=7');
  const { host, log } = await aHost(t, { tier: 'process', source, checkFiles });
  areChanged = true;
  t.equal(await ending(host, 7), 'host_lost');
  t.equal(await ending(host, 1), 'version_not_ready', 'held until it is given up');
  t.same(log.crashLoops, ['they were changed']);
  areChanged = false;
  await until('they are what they were, and served', () => host.state().kind === 'ready');
  t.equal(await ending(host, 1), 'answer');
});

t.test('closing while the files are looked at starts no process', async (t) => {
  const looking = deferred<void>();
  let looks = 0;
  const checkFiles = (): Promise<void> => {
    looks += 1;
    return looks === 1 ? Promise.resolve() : looking.promise;
  };
  const source = aFakeSource('killOn=7');
  const { host } = await aHost(t, { tier: 'process', source, checkFiles });
  t.equal(await ending(host, 7), 'host_lost');
  await until('they are looked at', () => looks === 2);
  await host.close();
  looking.resolve();
  await looking.promise;
  t.equal(host.pid(), undefined);
  t.equal(host.state().kind, 'unloaded');
});

t.test('what a full process would refuse does not cross over to it', async (t) => {
  const { host } = await aHost(t, {
    tier: 'process',
    batch: { rowsMax: 1, delayMs: 0 },
    queue: { requestsMax: 2, bytesMax: 1_000_000 },
  });
  const pid = host.pid() ?? 0;
  process.kill(pid, 'SIGSTOP');
  // One at work, one ahead, two that wait: as many as it may ever have.
  const taken = [1, 2, 3, 4].map((value) => ending(host, value));
  await t.rejects(host.infer(anInferRequest([5]), new AbortController().signal), {
    code: 'overloaded',
    message: 'the queue is full: at most 2 requests may wait',
    retryAfterMs: 1,
  });
  process.kill(pid, 'SIGCONT');
  t.ok((await Promise.all(taken)).includes('answer'), 'and what it has taken is settled');
});
