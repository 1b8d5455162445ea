import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createRolloutDeployer } from '../../src/app/rollout-deployer.ts';
import { type AppOptions, startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { SHARED_MEMORY } from '../../src/frame/unnamed-file.ts';
import { aRollout, aRoute } from '../rollout/builders.ts';

const folder = await mkdtemp(join(tmpdir(), 'understudy-app-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));

t.test(
  'what was loaded for a trial is closed when the trial ends, even if no route changes',
  async (t) => {
    const route = aRoute();
    const log: string[] = [];
    const deployer = createRolloutDeployer({
      routes: { read: () => route },
      deployments: {
        prepare: async ({ mirror }) => {
          log.push(`prepare ${mirror?.version}`);
          throw new Error('no such file');
        },
        isPrepared: () => false,
        find: () => undefined,
        change: () => {
          throw new Error('no change is made here');
        },
        remove: async () => {},
        reconcile: async (kept) =>
          void log.push(kept === route ? 'reconcile the present route' : 'reconcile another'),
      },
      observers: { open: () => undefined, close: ({ id }) => log.push(`close ${id}`) },
    });
    await t.rejects(deployer.prepare(aRollout(), AbortSignal.abort()), { message: 'no such file' });
    await deployer.release(aRollout());
    t.same(log, ['prepare 2', 'close fashion-2-1', 'reconcile the present route']);
  },
);

t.test('a start that fails releases what it had taken', async (t) => {
  const port = await aTakenPort(t);
  await t.rejects(
    startApp(await anApp(port)),
    /server\.admin: expected an address that is free: .*EADDRINUSE.* ss -ltnp 'sport = :\d+'$/,
  );
  const app = await startApp(await anApp(0));
  t.equal((await fetch(`http://127.0.0.1:${app.httpPort}/v2/health/live`)).status, 200);
  await app.close();
  await t.rejects(fetch(`http://127.0.0.1:${app.httpPort}/v2/health/live`));
});

t.test(
  'a start takes away the names that killed gateways left in shared memory',
  { skip: existsSync(SHARED_MEMORY) ? false : 'no shared memory' },
  async (t) => {
    const left = join(SHARED_MEMORY, `understudy-${randomUUID()}`);
    await writeFile(left, '');
    t.teardown(() => rm(left, { force: true }));
    await utimes(left, 1, 1);
    const app = await startApp(await anApp(0));
    t.notOk(existsSync(left));
    await app.close();
  },
);

/** A gateway without models; its admin port is the one given. */
async function anApp(adminPort: number): Promise<AppOptions> {
  const repository = join(folder, 'none');
  await mkdir(repository, { recursive: true });
  const address = (port: number) => `127.0.0.1:${port}`;
  const config = await loadConfig(undefined, {
    http: address(0),
    grpc: address(0),
    admin: address(adminPort),
    repository,
    ledger: join(folder, 'ledger'),
  });
  return { config, log: () => undefined, feedbackSecret: undefined };
}

async function aTakenPort(t: Pick<Test, 'teardown'>): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  t.teardown(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
