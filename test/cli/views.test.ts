import fc from 'fast-check';
import t from 'tap';
import { readFormat } from '../../src/cli/output.ts';
import { formatRollout } from '../../src/cli/rollout-view.ts';
import { formatTable } from '../../src/cli/table.ts';
import { aMetric, aRolloutStatus } from './a-status.ts';

/** What follows a fact's name. */
function fact(text: string, name: string): string | undefined {
  return text
    .split('\n')
    .find((line) => line.startsWith(name))
    ?.slice(name.length)
    .trim();
}

t.test('a rollout reads as where it stands, what it has seen and what it waits for', async (t) => {
  const text = formatRollout(aRolloutStatus());
  t.equal(fact(text, 'Name:'), 'fashion-2-1');
  t.equal(fact(text, 'Status:'), '◌ progressing');
  t.equal(fact(text, 'Step:'), '2/7  prove labelledLoss, pairedErrors');
  t.equal(fact(text, 'Mirror:'), '99.0 % of 1,300 sampled were compared (timed out 0, failed 0)');
  t.equal(fact(text, 'Labels:'), '1,240 joined, 3 unmatched');
  t.equal(fact(text, 'Age:'), '12 s of at most 60 min');
  t.equal(fact(text, 'Waits:'), 'labelledLoss: 1,240 samples, about 800 more');
  t.match(fact(text, 'labelledLoss'), /^\? undecided +1,240 +90\/120 +-0\.0242 +0\.03 +~800$/);
});

t.test('a canary shows the weight that was set and the one there is', async (t) => {
  const text = formatRollout(aRolloutStatus({ setWeightBp: 1_000, actualWeightBp: 973 }));
  t.equal(fact(text, 'Weight:'), 'set 10.0 %, actual 9.7 %');
  const early = formatRollout(aRolloutStatus({ setWeightBp: 1_000, actualWeightBp: undefined }));
  t.equal(fact(early, 'Weight:'), 'set 10.0 %, actual -');
});

t.test('a rollout that has ended says why instead of what it waits for', async (t) => {
  const text = formatRollout(
    aRolloutStatus({ phase: 'rolledBack', step: undefined, why: 'errors: 41 bad', endedMs: 9 }),
  );
  t.equal(fact(text, 'Status:'), '✖ rolledBack');
  t.equal(fact(text, 'Why:'), 'errors: 41 bad');
  t.equal(fact(text, 'Waits:'), undefined);
});

t.test('what cannot be measured or foretold is said, never shown as a number', async (t) => {
  const metrics = [
    aMetric({ label: 'errors', estimate: Number.POSITIVE_INFINITY, samplesToGo: undefined }),
    aMetric({ label: 'slowRequests', estimate: undefined, missing: 'no control yet' }),
    aMetric({ label: 'pairedLatency', role: 'reject' }),
  ];
  // As a client gets it: JSON has no infinity.
  const status = JSON.parse(JSON.stringify(aRolloutStatus({ metrics })));
  const text = formatRollout(status);
  t.match(fact(text, 'errors'), / - +0\.03 +cannot say$/);
  t.match(fact(text, 'slowRequests'), / - +0\.03 +no control yet$/);
  t.match(fact(text, 'pairedLatency'), /can only reject$/);
});

t.test('every column of a table begins at one place, whatever is in it', async (t) => {
  const cell = fc.string({
    minLength: 1,
    maxLength: 8,
    unit: fc.constantFrom('a', 'é', '✔', '中'),
  });
  const rows = fc.integer({ min: 1, max: 5 }).chain((columns) =>
    fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), {
      minLength: 1,
      maxLength: 6,
    }),
  );
  fc.assert(
    fc.property(rows, (rows) => {
      const lines = formatTable(rows)
        .split('\n')
        .map((line) => [...line]);
      let start = 0;
      for (const column of rows[0]?.keys() ?? []) {
        for (const [at, row] of rows.entries()) {
          const shown = lines[at]?.slice(start, start + [...(row[column] ?? '')].length).join('');
          if (shown !== row[column]) return false;
        }
        start += Math.max(...rows.map((row) => [...(row[column] ?? '')].length)) + 2;
      }
      return lines.length === rows.length;
    }),
  );
  const red = '\u001b[31mbad\u001b[39m';
  t.equal(
    formatTable([
      [red, 'x'],
      ['good', 'y'],
    ]),
    `${red}   x\ngood  y`,
    'colours take no room',
  );
});

t.test('an output format is json or text', async (t) => {
  t.same(['json', 'text'].map(readFormat), ['json', 'text']);
  t.throws(() => readFormat('yaml'), {
    exitCode: 2,
    message: /expected json or text, found "yaml"/,
  });
});
