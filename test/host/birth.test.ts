import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import type { Host } from '../../src/host/host.ts';
import { hostLabelOf } from '../e2e/processes.ts';
import { A_BIRTH, aHost } from '../support/a-host.ts';
import { until } from '../support/until.ts';

const oomScoreOf = (pid: number | string): number =>
  Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'));

t.test('a child has the asked niceness, and of the environment what it is given', async (t) => {
  const environment = { OMP_NUM_THREADS: '3', PATH: '/nowhere' };
  const birth = { nice: 7, oomScoreAdj: 300, environment };
  const { host } = await aHost(t, { tier: 'process', birth });
  const pid = host.pid() ?? 0;
  t.equal(getPriority(pid), getPriority() + 7);
  if (process.platform !== 'linux') return;
  const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  const names = variables.map((variable) => variable.slice(0, variable.indexOf('=')));
  // The test runner hooks every process that a test starts, by variables of its own.
  const inherited = names.filter((name) => !/^(_TAPJS_.*|NODE_OPTIONS|)$/.test(name));
  const own = ['MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_', 'PATH'];
  t.strictSame(inherited.sort(), [...own, 'OMP_NUM_THREADS'].sort());
  t.ok(variables.includes('OMP_NUM_THREADS=3'));
  t.notOk(variables.includes('PATH=/nowhere'), 'its own variables stand');
});

t.test('the list of processes shows what a child was started for', async (t) => {
  const birth = { ...A_BIRTH, label: 'fashion/2 candidate' };
  const { host } = await aHost(t, { tier: 'process', birth });
  if (process.platform !== 'linux') return;
  const args = readFileSync(`/proc/${host.pid()}/cmdline`, 'utf8').split('\0');
  t.equal(args.at(-2), 'fashion/2 candidate');
});

t.test(
  'a child that takes another role shows it, and its place in line, after a restart too',
  { skip: process.platform === 'linux' ? false : 'Linux only' },
  async (t) => {
    const birth = { ...A_BIRTH, label: 'fashion/2 candidate', oomScoreAdj: 300 };
    const { host } = await aHost(t, { tier: 'process', birth });
    const first = host.pid() ?? 0;
    const nameOf = (pid: number) => readFileSync(`/proc/${pid}/comm`, 'utf8');
    const name = nameOf(first);
    host.become({ label: 'fashion/2 main     ', oomScoreAdj: 100 });
    t.equal(oomScoreOf(first), Math.min(1_000, oomScoreOf('self') + 100));
    await until('it shows', () => hostLabelOf(first) === 'fashion/2 main');
    t.equal(nameOf(first), name, 'a search for the program finds it');
    process.kill(first, 'SIGKILL');
    const second = await anotherPid(host, first);
    t.equal(oomScoreOf(second), Math.min(1_000, oomScoreOf('self') + 100));
    t.equal(hostLabelOf(second), 'fashion/2 main');
  },
);

async function anotherPid(host: Host, former: number): Promise<number> {
  const deadlineMs = performance.now() + 30_000;
  while (performance.now() < deadlineMs) {
    const pid = host.pid();
    if (pid !== undefined && pid !== former) return pid;
    await pause(10);
  }
  throw new Error('expected a child in the place of the killed one, found none');
}

t.test(
  'where memory runs out, a child is killed before the gateway as far as it is asked',
  { skip: process.platform === 'linux' ? false : 'Linux only' },
  async (t) => {
    const own = oomScoreOf('self');
    for (const oomScoreAdj of [0, 300]) {
      const { host } = await aHost(t, { tier: 'process', birth: { ...A_BIRTH, oomScoreAdj } });
      const first = host.pid() ?? 0;
      t.equal(oomScoreOf(first), Math.min(1_000, own + oomScoreAdj));
      process.kill(first, 'SIGKILL');
      const second = await anotherPid(host, first);
      t.equal(oomScoreOf(second), Math.min(1_000, own + oomScoreAdj), 'also after a restart');
    }
  },
);
