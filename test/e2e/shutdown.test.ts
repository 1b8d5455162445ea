import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { HttpAnswer } from '../../src/load/wire/http-answer.ts';
import { HttpConnection, postBytes } from '../../src/load/wire/http-connection.ts';
import { aHungFile } from '../support/a-pipe.ts';
import { understudy } from '../support/command.ts';
import { until } from '../support/until.ts';
import { aPlace, liveTraffic, RunningGateway } from './a-gateway.ts';
import { isAlive } from './processes.ts';

const TIME = { timeout: 100_000 };
const REQUESTS = 40;

t.test(
  'SIGTERM, passed on twice, answers every request that was accepted and ends with code 0',
  TIME,
  async (t) => {
    const place = await aPlace(t, ['1']);
    const gateway = await RunningGateway.start(t, place);
    const [host = 0] = gateway.hosts();
    const connections = await Promise.all(
      Array.from({ length: REQUESTS }, () => openTo(gateway.httpPort)),
    );
    // A host that is stopped: accepted requests are surely unanswered when the signal comes.
    process.kill(host, 'SIGSTOP');
    const answers = connections.map((connection) => connection.request(anImage(gateway.httpPort)));
    await until('all are accepted', async () => {
      return (await gateway.metric('understudy_requests_in_flight')) === REQUESTS;
    });
    gateway.kill('SIGTERM');
    gateway.kill('SIGINT');
    await until('it has heard', () => /already stopping/.test(gateway.log));
    t.equal(
      (await lateRequest(gateway.httpPort)).status,
      503,
      'a late request is refused politely',
    );
    process.kill(host, 'SIGCONT');
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    t.same(statuses, Array(REQUESTS).fill(200));
    t.same(await gateway.ended, { code: 0, signal: null });
    t.notOk(isAlive(host));
    t.notOk(existsSync(join(place.ledger, 'lock')), 'the ledger is free');
  },
);

/** A gateway whose only host stands still with a request in it. */
async function hanging(t: Parameters<typeof aPlace>[0], options: readonly string[]) {
  const gateway = await RunningGateway.start(t, await aPlace(t, ['1']), options);
  const [host = 0] = gateway.hosts();
  const connection = await openTo(gateway.httpPort);
  process.kill(host, 'SIGSTOP');
  connection.request(anImage(gateway.httpPort)).catch(() => undefined);
  await until('it is accepted', async () => {
    return (await gateway.metric('understudy_requests_in_flight')) === 1;
  });
  return { gateway, host };
}

t.test('a run that hangs ends within --exit-timeout, with code 1 and its name', TIME, async (t) => {
  const { gateway, host } = await hanging(t, ['--exit-timeout', '1']);
  gateway.kill('SIGTERM');
  t.same(await gateway.ended, { code: 1, signal: null });
  t.match(gateway.log, /not stopped within 1 s.*left: requests in flight \(1 /);
  t.notOk(isAlive(host));
});

t.test('a second signal ends what hangs immediately, and SIGHUP does not', TIME, async (t) => {
  const { gateway, host } = await hanging(t, ['--exit-timeout', '80']);
  gateway.kill('SIGINT');
  await until('it has heard', () => /SIGINT: no new requests/.test(gateway.log));
  const heardMs = performance.now();
  await until('a signal is a second one', () => performance.now() - heardMs > 2_100);
  gateway.kill('SIGHUP');
  await until('it has heard that too', () => /SIGHUP: already stopping/.test(gateway.log));
  gateway.kill('SIGTERM');
  t.same(await gateway.ended, { code: 1, signal: null });
  t.match(gateway.log, /SIGTERM again; exiting by force; left: requests in flight/);
  t.notOk(isAlive(host));
});

t.test('SIGUSR1 opens no inspector, neither here nor in a child', TIME, async (t) => {
  const gateway = await RunningGateway.start(t, await aPlace(t, ['1']));
  const [host = 0] = gateway.hosts();
  process.kill(host, 'SIGUSR1');
  gateway.kill('SIGUSR1');
  await until('it has heard', () => /no inspector opened/.test(gateway.log));
  t.notMatch(gateway.log, /Debugger listening/);
  t.ok(isAlive(host));
  gateway.kill('SIGTERM');
  t.same(await gateway.ended, { code: 0, signal: null });
});

t.test('SIGTERM during the start ends with code 0 and leaves no process', TIME, async (t) => {
  const place = await aPlace(t, ['1']);
  const gateway = RunningGateway.spawn(t, place);
  await until('it loads', () => /"loading"/.test(gateway.log));
  gateway.kill('SIGTERM');
  t.same(await gateway.ended, { code: 0, signal: null });
  t.match(gateway.log, /stopped/);
  t.notOk(existsSync(join(place.ledger, 'lock')), 'the ledger is free');
});

t.test('a cache on a disk that hangs holds neither the start nor the end', TIME, async (t) => {
  const place = await aPlace(t, ['1']);
  const first = await RunningGateway.start(t, place);
  const cache = join(place.root, 'var', 'cache');
  await until('a finding is kept', () => existsSync(cache) && readdirSync(cache).length === 1);
  first.kill('SIGTERM');
  await first.ended;
  for (const name of readdirSync(cache)) aHungFile(t, join(cache, name));
  const gateway = await RunningGateway.start(t, place);
  t.match(gateway.log, /the disk under the cache has not answered for 2 s/);
  t.equal((await lateRequest(gateway.httpPort)).status, 200);
  const sinceMs = performance.now();
  gateway.kill('SIGTERM');
  // Its thread hangs, so that no exit code can be given.
  t.same(await gateway.ended, { code: null, signal: 'SIGKILL' });
  t.match(gateway.log, /"stopped"/);
  t.ok(performance.now() - sinceMs < 25_000, 'before the time limit');
  t.notOk(existsSync(join(place.ledger, 'lock')), 'the ledger is free');
});

t.test(
  'an interrupt from the terminal in mid-rollout reaches all processes and harms none',
  TIME,
  async (t) => {
    const place = await aPlace(t, ['1', '2']);
    const gateway = await RunningGateway.start(t, place);
    const traffic = await liveTraffic(t, gateway, { perSecond: 200, seed: 5 });
    const { adminUrl } = gateway;
    const started = await understudy([
      'rollout',
      'start',
      'fashion',
      '2',
      '--intent',
      'improve',
      '--admin',
      adminUrl,
    ]);
    t.equal(started.code, 0, started.stderr);
    await until('pairs are compared', async () => (await gateway.status()).mirror.compared > 100);
    const children = [...gateway.hosts(), ...gateway.shadows()];

    gateway.signalGroup('SIGINT');
    gateway.signalGroup('SIGINT');
    t.same(await gateway.ended, { code: 0, signal: null });
    t.notMatch(gateway.log, /process exited/, 'no process exited');
    t.notOk(children.some(isAlive));
    const { report } = await traffic.stop();
    // What came too late was refused as such, or found the door closed.
    const unexpected = Object.keys(report.measured.errors).filter(
      (kind) => !/^(503|connection: )/.test(kind),
    );
    t.same(unexpected, []);
    t.ok(report.measured.ok > 100);

    const next = await RunningGateway.start(t, place);
    t.equal((await next.status()).phase, 'progressing', 'the rollout resumes in the next process');
    next.kill('SIGTERM');
    t.same(await next.ended, { code: 0, signal: null });
    t.same((await understudy(['evidence', 'verify', place.ledger])).code, 0);
  },
);

function anImage(port: number): Uint8Array {
  const image = {
    name: 'image',
    datatype: 'FP32',
    shape: [1, 1, 28, 28],
    data: Array(784).fill(0.5),
  };
  return postBytes({
    host: `127.0.0.1:${port}`,
    path: '/v2/models/fashion/infer',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ inputs: [image] })),
  });
}

async function lateRequest(port: number): Promise<HttpAnswer> {
  return (await openTo(port)).request(anImage(port));
}

function openTo(port: number): Promise<HttpConnection> {
  return HttpConnection.open({ host: '127.0.0.1', port, tls: false });
}
