import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { COMMAND, understudy } from '../support/command.ts';
import { until } from '../support/until.ts';
import { aPlace, liveTraffic, type Place, RunningGateway } from './a-gateway.ts';
import { childrenOf, isAlive } from './processes.ts';

const TIME = { timeout: 150_000 };
const RELOADS = 50;

/** The number of lines of the log that match. */
function told({ log }: RunningGateway, pattern: RegExp): number {
  return log.split('\n').filter((line) => pattern.test(line)).length;
}

/** The status of a reload by the admin API. */
async function reloaded({ adminUrl }: RunningGateway): Promise<number> {
  const { status } = await fetch(`${adminUrl}/api/v1/config/reload`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'a test' }),
  });
  return status;
}

async function edit({ config }: Place, from: RegExp, to: string): Promise<void> {
  const text = await readFile(config, 'utf8');
  await writeFile(config, text.replace(from, to));
}

t.test(
  'fifty reloads under live traffic fail no request and leave nothing behind',
  TIME,
  async (t) => {
    const place = await aPlace(t, ['1', '2']);
    await edit(place, /^ {2}fashion:\n.*/ms, '  fashion: { route: { stable: "1" } }\n');
    const gateway = await RunningGateway.start(t, place);
    const traffic = await liveTraffic(t, gateway, { perSecond: 100, seed: 7 });
    for (let count = 1; count <= RELOADS; count += 1) {
      // Each fifth one starts hosts and closes those that were there; each tenth moves all traffic.
      const batch = Math.floor(count / 5) % 2 === 0 ? '' : 'batch: { rowsMax: 8 }, ';
      const stable = Math.floor(count / 10) % 2 === 0 ? '1' : '2';
      await edit(
        place,
        /^ {2}fashion: .*$/m,
        `  fashion: { ${batch}queue: { deadlineMs: ${20_000 + count} }, route: { stable: "${stable}" } }`,
      );
      if (count % 2 === 0) gateway.kill('SIGHUP');
      else t.equal(await reloaded(gateway), 200);
      await until('it is reloaded', () => told(gateway, /configuration reloaded/) === count);
    }
    const { report } = await traffic.stop();
    t.same(report.measured.errors, {});
    t.ok(report.measured.ok > 100);
    await until('one host is left', () => childrenOf(gateway.pid).length === 1);
    gateway.kill('SIGTERM');
    t.same(await gateway.ended, { code: 0, signal: null });
    t.equal((await understudy(['evidence', 'verify', place.ledger])).code, 0);
  },
);

t.test(
  'SIGHUP with a bad file, twice in a row, or without a file changes nothing',
  TIME,
  async (t) => {
    const place = await aPlace(t, ['1']);
    const gateway = await RunningGateway.start(t, place);
    const text = await readFile(place.config, 'utf8');
    await writeFile(place.config, text.replace('deadlineMs', 'deadlinems'));
    gateway.kill('SIGHUP');
    await until(
      'it says so',
      () => told(gateway, /not reloaded \(SIGHUP\).*understudy\.yaml:8:14 .*Did you mean/) === 1,
    );
    const refused = await understudy(['config', 'reload', '--admin', gateway.adminUrl]);
    t.equal(refused.code, 2);
    t.match(refused.stderr, /understudy\.yaml:8:14 .*unknown key "deadlinems"/);
    await rm(place.config);
    gateway.kill('SIGHUP');
    await until(
      'it says so',
      () => told(gateway, /not reloaded.*expected a readable file: ENOENT/) === 1,
    );
    t.equal(await gateway.metric('understudy_config_last_reload_successful'), 0);
    await writeFile(place.config, text.replace('20000', '30000'));
    gateway.kill('SIGHUP');
    gateway.kill('SIGHUP');
    await until('it is reloaded', () => told(gateway, /20000 -> 30000 \(applied\)/) === 1);
    t.equal(await gateway.metric('understudy_config_last_reload_successful'), 1);
    t.equal((await fetch(`http://127.0.0.1:${gateway.httpPort}/v2/health/ready`)).status, 200);
    gateway.kill('SIGTERM');
    t.same(await gateway.ended, { code: 0, signal: null });
  },
);

t.test('SIGHUP during the start is obeyed once it has started', TIME, async (t) => {
  const place = await aPlace(t, ['1']);
  const gateway = RunningGateway.spawn(t, place);
  await until('it loads', () => /"loading"/.test(gateway.log));
  await edit(place, /20000/, '30000');
  gateway.kill('SIGHUP');
  await until('it is reloaded', () => told(gateway, /20000 -> 30000 \(applied\)/) === 1);
  gateway.kill('SIGTERM');
  t.same(await gateway.ended, { code: 0, signal: null });
});

const hasTerminal = spawnSync('script', ['--version']).stdout?.includes('util-linux') === true;
const ON_TERMINAL = { ...TIME, skip: hasTerminal ? false : 'needs script of util-linux' };

t.test('a terminal that is closed stops the gateway in order', ON_TERMINAL, async (t) => {
  const { root, config, ledger } = await aPlace(t, ['1']);
  const log = join(root, 'log');
  const command = `exec ${process.execPath} ${COMMAND} serve -c ${config} 2>${log}`;
  const terminal = spawn('script', ['-qec', command, '/dev/null'], { stdio: 'ignore' });
  t.teardown(() => terminal.kill('SIGKILL'));
  const read = () => readFile(log, 'utf8').catch(() => '');
  await until('it answers', async () => /answering at/.test(await read()));
  const [gateway] = childrenOf(terminal.pid ?? 0);
  terminal.kill('SIGKILL');
  await until('it has ended', () => !isAlive(gateway?.pid ?? 0));
  t.match(await read(), /SIGHUP: no new requests.*stopped/s);
  t.notOk(existsSync(join(ledger, 'lock')), 'the ledger is free');
});
