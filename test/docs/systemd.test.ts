import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { EXIT } from '../../src/cli/exit-code.ts';
import { loadConfig } from '../../src/config/load.ts';
import { projectRoot } from '../support/project-root.ts';
import { until } from '../support/until.ts';
import { wrongIn } from './commands.ts';
import { readPage, sectionsOf, tableRows } from './page.ts';

const FILE = 'deploy/systemd/understudy.service';
const MAIN = path.join(import.meta.dirname, '../../src/cli/main.js');
const UNIT = readPage(FILE);

/** The values of a setting, in their order. */
function settings(name: string): readonly string[] {
  return [...UNIT.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
}

function setting(name: string): string | undefined {
  return settings(name)[0];
}

t.test('the service starts the program with options that it has', async (t) => {
  const command = setting('ExecStart')?.replace('/opt/understudy/current/bin/', '') ?? '';
  t.equal(wrongIn(command), '');
  t.match(command, /^understudy serve /);
});

t.test('the service leaves the gateway the time and the files that it needs', async (t) => {
  const serve = sectionsOf(readPage('docs/reference/cli.md')).find(({ heading }) =>
    heading.includes('understudy serve'),
  );
  const row = tableRows(serve?.text ?? '', 'option').find(([cell]) =>
    cell?.includes('--exit-timeout'),
  );
  const exitTimeoutS = Number(row?.[1]?.replaceAll('`', ''));
  t.equal(exitTimeoutS, 30);
  t.ok(
    Number(setting('TimeoutStopSec')) >= exitTimeoutS + 10,
    'stops by force before it is killed',
  );
  const { server } = await loadConfig(path.join(projectRoot, 'deploy/understudy.yaml'));
  t.ok(Number(setting('LimitNOFILE')) >= 2 * server.connectionsMax + 500);
});

t.test('the service is not started again with a configuration that is invalid', async (t) => {
  t.equal(setting('Restart'), 'on-failure');
  t.equal(setting('RestartPreventExitStatus'), String(EXIT.usage));
});

t.test('the service has none of the settings under which processes of models fail', async (t) => {
  for (const name of [
    'MemoryDenyWriteExecute',
    'ProcSubset',
    'InaccessiblePaths',
    'PrivateNetwork',
  ])
    t.equal(setting(name), undefined, name);
  t.notOk(
    settings('SystemCallFilter').some((value) => value.includes('@resources')),
    'low priority',
  );
  t.equal(setting('OOMPolicy'), 'continue', 'a killed candidate does not stop the gateway');
  t.equal(setting('KillMode'), 'mixed', 'the gateway ends its processes itself');
});

const noAnalyze = spawnSync('systemd-analyze', ['--version']).error && 'needs systemd-analyze';

t.test(
  'systemd takes the unit, and finds little exposed',
  { skip: noAnalyze ?? false },
  async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'understudy-systemd-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const unit = path.join(folder, 'understudy.service');
    const analyze = async (text: string, ...args: readonly string[]) => {
      // It looks for the program, which is not installed here.
      await writeFile(unit, text.replaceAll(/^ExecStart=\S+/gm, `ExecStart=${process.execPath}`));
      const { stdout, stderr } = spawnSync('systemd-analyze', [...args, unit], {
        encoding: 'utf8',
      });
      return stdout + stderr;
    };
    t.equal(await analyze(UNIT, 'verify'), '');
    t.match(await analyze(`${UNIT}\n[Service]\nPrivateTemp=yes\n`, 'verify'), /PrivateTemp/);
    const found = await analyze(UNIT, 'security', '--offline=true', '--no-pager');
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(found)?.[1]);
    t.ok(exposure <= 2, `${exposure}, of 10`);
  },
);

/** All is read-only but one folder, /dev and /proc, as under `ProtectSystem=strict`; then the user of no rights. */
const LOCKED = `set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -o remount,bind,ro /
cd "$1"
shift
exec setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs "$@"`;

const noNamespace =
  spawnSync('unshare', ['--mount', 'setpriv', '--bounding-set=-all', 'true']).status !== 0 &&
  'needs root, unshare and setpriv';

t.test(
  'a gateway that may write to its state alone serves, and runs a shadow at low priority',
  { skip: noNamespace },
  async (t) => {
    const state = await mkdtemp(path.join(tmpdir(), 'understudy-state-'));
    t.teardown(() => rm(state, { recursive: true, force: true }));
    await chown(state, 65534, 65534);
    const etc = await mkdtemp(path.join(tmpdir(), 'understudy-etc-'));
    t.teardown(() => rm(etc, { recursive: true, force: true }));
    const config = path.join(etc, 'understudy.yaml');
    const free = '127.0.0.1:0';
    const route = { stable: '1', mirror: [{ version: '2', percentage: 100 }] };
    await writeFile(
      config,
      JSON.stringify({
        apiVersion: 'understudy/v1',
        server: { http: free, grpc: free, admin: free },
        repository: path.join(projectRoot, 'models'),
        ledger: path.join(state, 'ledger'),
        cache: path.join(state, 'cache'),
        models: { fashion: { route } },
      }),
    );
    spawnSync('chmod', ['-R', 'a+rX', etc]);
    const program = [process.execPath, MAIN, 'serve', '-c', config];
    const child = spawn('unshare', ['--mount', 'sh', '-c', LOCKED, 'sh', state, ...program], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    const ended = once(child, 'close');
    await until('the model and its shadow are loaded', () => {
      if (child.exitCode !== null) throw new Error(log);
      return /started after/.test(log) && /ready model=fashion version=2 role=shadow/.test(log);
    });
    const [, url] = /answering at (\S+)/.exec(log) ?? [];
    const body = readPage('docs/examples/infer.json');
    const answer = await fetch(`${url}/v2/models/fashion/infer`, { method: 'POST', body });
    t.equal(answer.status, 200, await answer.text());
    const shown = spawnSync('ps', ['--ppid', String(child.pid), '-o', 'ni=,args='], {
      encoding: 'utf8',
    });
    t.match(shown.stdout, / 15 .*fashion\/2 shadow/);
    t.notMatch(log, /EROFS|EACCES|EPERM|read-only|not permitted/i, 'nothing was refused to it');
    child.kill('SIGTERM');
    t.same(await ended, [0, null], log);
  },
);
