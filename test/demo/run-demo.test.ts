import t from 'tap';
import type { TrialResult } from '../../src/demo/run-demo.ts';
import { type DemoSummary, summarise } from '../../src/demo/summary.ts';
import { TRIALS } from '../../src/demo/trials.ts';
import { understudy } from '../support/command.ts';

// The runner's limit of a file counts otherwise, whatever that of its tests.
t.setTimeout(420_000);

/** What may refuse each candidate: its own fault, under whichever of its names is proven first. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  '3': /^labelledLoss\{garment=upper,tone=dark\}$/,
  '2-slow': /^(pairedLatency|slowRequests)$/,
  '2-flaky': /^(disagreement|pairedErrors|errors|crashLoop)$/,
};

t.test(
  'the demo promotes the better model, refuses the others and fails no live request',
  { timeout: 400_000 },
  async (t) => {
    const { code, stdout, stderr } = await understudy(['demo', '--json'], { timeoutMs: 390_000 });
    const lines = stdout.trimEnd().split('\n');
    t.equal(lines.length, 1, 'one line for machines, and nothing else');
    const summary = JSON.parse(lines[0] ?? '') as DemoSummary;
    t.equal(code, 0, stderr);
    t.equal(summary.ok, true);
    t.same(summary.promoted, ['2']);
    t.same(summary.refused.map(({ candidate }) => candidate).sort(), Object.keys(REFUSED).sort());
    for (const { candidate, decidedBy } of summary.refused) {
      t.ok(decidedBy.length > 0, `${candidate} was refused by something`);
      for (const metric of decidedBy) t.match(metric, REFUSED[candidate], candidate);
    }
    t.equal(summary.failedLiveRequests, 0);
    t.ok(summary.liveRequests > 4_000, `${summary.liveRequests} live requests`);
    t.ok(summary.trials.find(({ candidate }) => candidate === '2')?.reached === 'canary');
    t.ok(summary.ledger.verified);
    t.ok(summary.ledger.replayed > 0);
    t.equal(summary.ledger.disagreements, 0);
    t.ok(summary.seconds < 380, `${summary.seconds} s`);
  },
);

function aTrialResult(fields: Partial<TrialResult> = {}): TrialResult {
  return {
    candidate: '2',
    title: 'a better model',
    expected: 'promoted',
    verdict: 'promoted',
    reached: 'canary',
    decidedBy: [],
    why: 'proven',
    liveRequests: 1_000,
    liveFailures: 0,
    pairs: 900,
    labels: 800,
    candidateRequests: 300,
    crashes: [],
    seconds: 9,
    head: 'aa',
    latency: {},
    ...fields,
  };
}

const SOUND = { records: 9, verified: true, replayed: 5, disagreements: 0, head: 'aa' };

function summaryOf(trials: readonly TrialResult[], ledger = SOUND): DemoSummary {
  return summarise(trials, { ledger, seconds: 30, requestsPerSecond: 400 });
}

t.test('a demo is as it should be only if every verdict, request and record is', async (t) => {
  const refused = aTrialResult({ candidate: '3', expected: 'rolledBack', verdict: 'rolledBack' });
  const all = summaryOf([aTrialResult(), refused]);
  t.ok(all.ok);
  t.same([all.promoted, all.refused], [['2'], [{ candidate: '3', decidedBy: [] }]]);
  t.equal(all.liveRequests, 2_000);
  t.notOk(summaryOf([aTrialResult({ liveFailures: 1 })]).ok, 'a live request failed');
  t.notOk(summaryOf([aTrialResult({ verdict: 'aborted' })]).ok, 'a trial that did not end');
  t.notOk(summaryOf([{ ...refused, verdict: 'promoted' }]).ok, 'the bad one was promoted');
  t.notOk(summaryOf([aTrialResult()], { ...SOUND, verified: false }).ok);
  t.notOk(summaryOf([aTrialResult()], { ...SOUND, disagreements: 1 }).ok);
});

t.test(
  'the mirror costs the median of what it cost the trials that could measure it',
  async (t) => {
    const latency = (p50Ms: number) => ({
      count: 10,
      meanMs: 1,
      p50Ms,
      p90Ms: 1,
      p95Ms: 1,
      p99Ms: 2 * p50Ms,
      p999Ms: 1,
      maxMs: 1,
    });
    const trials = [1.1, 3, 1.2].map((ratio) =>
      aTrialResult({ latency: { off: latency(2), shadow: latency(2 * ratio) } }),
    );
    t.same(summaryOf([...trials, aTrialResult()]).mirrorCost, { p50Ratio: 1.2, p99Ratio: 1.2 });
  },
);

t.test('every trial is of another candidate, and one of them should be promoted', async (t) => {
  t.equal(new Set(TRIALS.map(({ candidate }) => candidate)).size, TRIALS.length);
  t.same(TRIALS.filter(({ expected }) => expected === 'promoted').length, 1);
});
