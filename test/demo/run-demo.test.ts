import t from 'tap';
import type { DemoSummary } from '../../src/demo/summary.ts';
import { understudy } from '../support/command.ts';

/** What may refuse each candidate: its own fault, under whichever of its names is proven first. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  '3': /^labelledLoss\{garment=upper,tone=dark\}$/,
  '2-slow': /^(pairedLatency|slowRequests)$/,
  '2-flaky': /^(disagreement|pairedErrors|errors|crashLoop)$/,
};

t.test(
  'the demo promotes the better model, refuses the others and fails nobody',
  { timeout: 115_000 },
  async (t) => {
    const { code, stdout, stderr } = await understudy(['demo', '--json']);
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
    t.ok(summary.seconds < 90, `${summary.seconds} s`);
  },
);
