import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { LedgerRecord } from '../../src/core/record.ts';
import { readLedger } from '../../src/ledger/file.ts';
import type { Look } from '../../src/rollout/history/recorded-look.ts';
import { understudy } from '../support/command.ts';
import { looksOnRecord } from '../support/looks-on-record.ts';
import { until } from '../support/until.ts';
import { aPlace, liveTraffic, RunningGateway } from './a-gateway.ts';
import { childrenOf, isAlive } from './processes.ts';

/** Margins that some hundred requests prove; the first share of live traffic is held for some seconds, to be killed in. */
const CLAIM = {
  intent: 'improve',
  margins: { labelledLoss: 0.1, pairedErrors: 0.05, errors: { ratio: 2, absolute: 0.05 } },
  minRequests: 100,
  minDuration: '1s',
  unit: { window: '10ms' },
  steps: [
    { setMirror: { percentage: 100, twin: 0 } },
    { analysis: { metrics: ['labelledLoss', 'pairedErrors'] } },
    { setWeight: { percent: 25, control: true } },
    { setWeight: { percent: 50, control: true } },
    { analysis: { metrics: ['errors'] } },
    'promote',
  ],
};

t.test(
  'a gateway killed in mid-rollout resumes from its evidence and decides nothing twice',
  { timeout: 115_000 },
  async (t) => {
    const place = await aPlace(t, ['1', '2']);
    const first = await RunningGateway.start(t, place);
    const traffic = await liveTraffic(t, first, { perSecond: 200, seed: 1 });

    const file = join(place.root, 'rollout.json');
    await writeFile(file, JSON.stringify(CLAIM));
    const started = await understudy([
      'rollout',
      'start',
      'fashion',
      '2',
      '-f',
      file,
      '--admin',
      first.adminUrl,
      '-o',
      'json',
    ]);
    t.equal(started.code, 0, started.stderr);
    const { rolloutId } = JSON.parse(started.stdout) as { rolloutId: string };

    const midway = await until('the candidate answers live requests', async () => {
      const status = await first.status();
      return status.candidateRequests > 0 && status;
    });
    await until('the ledger says so', async () => {
      const { record } = await first.status();
      return record > midway.record && candidatesOf((await decisionsOf(place.ledger)).at(-1)) > 0;
    });
    const children = childrenOf(first.pid).map(({ pid }) => pid);
    t.ok(
      children.length >= 3,
      `stable, candidate and control run in processes: ${children.length}`,
    );
    first.kill('SIGKILL');
    t.same(await first.ended, { code: null, signal: 'SIGKILL' });
    void traffic.stop();
    t.ok(existsSync(join(place.ledger, 'lock')), 'it died with its lock in place');
    await until('its processes end by themselves', () => !children.some(isAlive));

    const before = await decisionsOf(place.ledger);
    const second = await RunningGateway.start(t, place);
    const seen = await second.status();
    t.equal(seen.id, rolloutId, 'the same rollout');
    const last = before.at(-1);
    t.ok(last && seen.mirror.compared >= last.evidence.mirror.compared, 'no pair is forgotten');
    t.ok(last && seen.labels.joined >= last.evidence.labels.joined, 'no label is forgotten');
    t.ok(last && seen.candidateRequests >= candidatesOf(last), 'no live request is forgotten');

    const more = await liveTraffic(t, second, { perSecond: 200, seed: 2 });
    const end = await until(
      'the rollout ends',
      async () => {
        const status = await second.status();
        return status.endedMs !== undefined && status;
      },
      60_000,
    );
    const { report } = await more.stop();
    t.equal(end.phase, 'promoted', end.why);
    t.same(
      [report.measured.offered - report.measured.ok, report.measured.errors],
      [0, {}],
      'the second life fails no live request',
    );
    second.kill('SIGTERM');
    t.same(await second.ended, { code: 0, signal: null });

    await checkRecord(t, place.ledger);
    const verified = await understudy(['evidence', 'verify', place.ledger]);
    t.equal(verified.code, 0, verified.stdout);
    const replayed = await understudy(['evidence', 'replay', place.ledger]);
    t.equal(replayed.code, 0, replayed.stdout);
  },
);

/** The record of both lives reads as that of one. */
async function checkRecord(t: Test, ledger: string): Promise<void> {
  const records = await recordsOf(ledger);
  const decisions = await decisionsOf(ledger);
  t.equal(records.filter(({ body }) => body.kind === 'rolloutStarted').length, 1, 'one rollout');
  const steps = decisions.flatMap(({ decision: { action } }) =>
    action.kind === 'enterStep' ? [action.step] : [],
  );
  t.same(steps, [...new Set(steps)].sort(), 'every step is entered once, in order');
  t.equal(decisions.filter(({ decision }) => decision.action.kind === 'promote').length, 1);
  t.same(
    decisions.slice(1).map(({ before }) => before),
    decisions.slice(0, -1).map(({ after }) => after),
    'every decision begins where the one before ended',
  );
  const counts = decisions.map(({ evidence }) => evidence.mirror.compared);
  t.same(
    counts,
    [...counts].sort((a, b) => a - b),
    'evidence only grows',
  );
}

async function recordsOf(ledger: string): Promise<readonly LedgerRecord[]> {
  const records: LedgerRecord[] = [];
  for await (const record of readLedger(ledger)) records.push(record);
  return records;
}

async function decisionsOf(ledger: string): Promise<readonly Look[]> {
  return looksOnRecord(await recordsOf(ledger));
}

function candidatesOf(decision: Look | undefined): number {
  return Object.values(decision?.evidence.live ?? {}).reduce(
    (sum, { candidate }) => sum + candidate.requests,
    0,
  );
}
