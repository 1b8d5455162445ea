import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { understudy } from '../support/command.ts';
import { until } from '../support/until.ts';
import { aPlace, liveTraffic, type Place, RunningGateway } from './a-gateway.ts';
import { oomScoreAdjOf } from './processes.ts';

const TIME = { timeout: 100_000 };

/** Needs more pairs than this test has time for, so that the shadow host stays in use. */
const ENDLESS_SHADOW = {
  margins: { pairedErrors: 0.0001 },
  steps: [
    { setMirror: { percentage: 100, twin: 20 } },
    { analysis: { metrics: ['pairedErrors'] } },
    'promote',
  ],
};

/** Wants more requests than there will be: candidate and control keep half of the traffic each. */
const ENDLESS_CANARY = {
  minRequests: 1_000_000,
  steps: [
    { setWeight: { percent: 25, control: true } },
    { analysis: { metrics: ['errors'] } },
    'promote',
  ],
};

function scoresAbove(gateway: number, pids: readonly number[]): readonly number[] {
  const own = oomScoreAdjOf(gateway);
  return pids.map((pid) => oomScoreAdjOf(pid) - own).sort((a, b) => a - b);
}

t.test(
  'a shadow host that is killed costs no live request, and one that keeps dying ends the trial',
  TIME,
  async (t) => {
    const place = await aPlace(t, ['1', '2']);
    const gateway = await RunningGateway.start(t, place);
    const traffic = await liveTraffic(t, gateway, { perSecond: 200, seed: 3 });
    await startRollout(gateway, place, ENDLESS_SHADOW);

    const killed: number[] = [];
    const killShadow = async (): Promise<void> => {
      const pid = await until('there is a shadow host', () =>
        gateway.shadows().find((one) => !killed.includes(one)),
      );
      killed.push(pid);
      process.kill(pid, 'SIGKILL');
    };
    const compared = async (): Promise<number> => (await gateway.status()).mirror.compared;
    await until('pairs are compared', async () => (await compared()) > 100);
    t.same(
      scoresAbove(gateway.pid, gateway.shadows()),
      [900],
      'the first to be killed by the system',
    );
    await killShadow();
    const atDeath = await compared();
    await until('a new shadow host compares on', async () => (await compared()) > atDeath + 100);
    await killShadow();
    await killShadow();
    const end = await until('the trial ends', async () => {
      const status = await gateway.status();
      return status.endedMs !== undefined && status;
    });
    t.same([end.phase, end.decidedBy], ['rolledBack', ['crashLoop']], end.why);
    t.match(end.why, /SIGKILL/, 'and says what happened');
    await until('the shadow host is gone', () => gateway.shadows().length === 0);
    const { report } = await traffic.stop();
    t.same(
      [report.measured.offered - report.measured.ok, report.measured.errors],
      [0, {}],
      `of ${report.measured.offered} live requests`,
    );
  },
);

t.test(
  'hosts that are killed cost at most what was in the one of stable, and come back by themselves',
  TIME,
  async (t) => {
    const place = await aPlace(t, ['1', '2']);
    const gateway = await RunningGateway.start(t, place);
    const traffic = await liveTraffic(t, gateway, { perSecond: 400, seed: 4 });
    await startRollout(gateway, place, ENDLESS_CANARY);
    const candidates = async (): Promise<number> => (await gateway.status()).candidateRequests;
    await until('the candidate answers', async () => (await candidates()) > 20);

    const hosts = gateway.hosts();
    t.equal(hosts.length, 3, 'stable, candidate and control');
    t.same(scoresAbove(gateway.pid, hosts), [0, 600, 600], 'stable is the last to be killed');
    for (const pid of hosts) process.kill(pid, 'SIGKILL');
    await until('all three are back', () => {
      const now = gateway.hosts();
      return now.length === 3 && !now.some((pid) => hosts.includes(pid));
    });
    const atReturn = await candidates();
    await until('the candidate answers again', async () => (await candidates()) > atReturn + 20);
    const { report } = await traffic.stop();
    const deaths = gateway.entries().filter(({ facts }) => facts?.['exit'] === 'SIGKILL');
    t.equal(deaths.length, 3);
    // What candidate and control lost, stable answered once it was back.
    const ofStable = deaths.find(({ facts }) => facts?.['role'] === 'main')?.message;
    const most = Number(/, (\d+) requests? in flight lost/.exec(ofStable ?? '')?.[1]);
    const failed = report.measured.offered - report.measured.ok;
    t.ok(
      failed <= most,
      `${failed} of ${report.measured.offered} failed, ${most} were in stable's: ${JSON.stringify(report.measured.errors)}`,
    );
    t.equal((await gateway.status()).phase, 'progressing', 'one death is no crash loop');
  },
);

async function startRollout(gateway: RunningGateway, place: Place, request: object): Promise<void> {
  const file = join(place.root, 'rollout.json');
  await writeFile(file, JSON.stringify({ intent: 'equivalent', ...request }));
  const { code, stderr } = await understudy([
    'rollout',
    'start',
    'fashion',
    '2',
    '-f',
    file,
    '--admin',
    gateway.adminUrl,
  ]);
  if (code !== 0) throw new Error(stderr);
}
