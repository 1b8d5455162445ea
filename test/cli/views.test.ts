import fc from 'fast-check';
import t from 'tap';
import { formatReload } from '../../src/cli/config-commands.ts';
import { formatPlan } from '../../src/cli/plan-view.ts';
import { formatRollout } from '../../src/cli/rollout-view.ts';
import { formatTable } from '../../src/cli/table.ts';
import { widthOf } from '../../src/cli/text-width.ts';
import type { Plan } from '../../src/rollout/plan/plan.ts';
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
  t.equal(fact(text, 'Labels:'), '1,240 joined (96.3 % of the compared), 3 unmatched');
  t.equal(fact(text, 'Age:'), '12 s of at most 1 h');
  t.equal(fact(text, 'Waits:'), 'labelledLoss: 1,240 samples, about 800 more');
  t.match(fact(text, 'labelledLoss'), /^\? undecided +1,240 +90\/120 +-0\.0242 +0\.0200 +~800$/);
});

t.test('a candidate that is proven better reads so', async (t) => {
  const metrics = [aMetric({ finding: 'nonInferior', superior: true, claim: 'superior' })];
  const text = formatRollout(aRolloutStatus({ claim: 'superior', metrics }));
  t.match(text, /improve, superior/);
  t.match(text, /labelledLoss +✔ better/);
});

t.test('the anchor is shown with what of the allowed loss is used', async (t) => {
  const anchor = {
    ...{ version: '1', sinceMs: 0, by: 'first' as const, why: 'stable at the first rollout' },
    ...{ spent: { loss: 0.009, unmeasured: 1 }, allowed: 0.02 },
  } as const;
  t.equal(
    fact(formatRollout(aRolloutStatus({ anchor })), 'Anchor:'),
    '1 (stable at the first rollout): 0.00900 of an allowed loss of 0.0200 used, besides 1 unmeasured change of stable',
  );
});

t.test(
  'a candidate that is held to a third version shows what that answered, or why it cannot',
  async (t) => {
    const held = {
      ...{
        claim: 'required' as const,
        share: 100,
        answered: 1_204,
        failed: 3,
        disagreement: 0.023,
      },
      state: { kind: 'failed', reason: 'out of memory' } as const,
    };
    const anchor = {
      ...{ version: '1', sinceMs: 0, by: 'person' as const, why: 'audited', allowed: 0.02 },
      ...{ spent: { loss: 0, unmeasured: 0 }, held },
    };
    const text = formatRollout(aRolloutStatus({ anchor }));
    t.match(text, /Anchor: +1 \(set by hand: audited\)/);
    t.match(text, /it answered 1,204 pairs, and 3 not; the candidate differs from it on 2\.3 %/);
    t.match(text, /it cannot run: out of memory/);
    const off = { ...anchor, held: { ...held, claim: 'off' as const, state: undefined } };
    t.match(
      formatRollout(aRolloutStatus({ anchor: off })),
      /no claim is made against it: anchor\.share/,
    );
  },
);

t.test('failed requests of an arm are shown by kind, if there are any', async (t) => {
  const failures = { candidate: { nonFinite: 1_204, timeout: 2 }, reference: { timeout: 3 } };
  const text = formatRollout(aRolloutStatus({ failures }));
  t.equal(fact(text, 'Failures:'), 'candidate nonFinite 1,204, timeout 2; reference timeout 3');
  t.equal(fact(formatRollout(aRolloutStatus()), 'Failures:'), undefined);
  t.equal(fact(formatRollout(aRolloutStatus({ failures: undefined })), 'Failures:'), undefined);
});

t.test('a slice that is only reported is shown as such, with its interval', (t) => {
  const slice = { slice: { region: 'eu' }, label: 'labelledLoss{region=eu}' };
  const counts = { samples: 1_200, candidateEvents: 9, referenceEvents: 3, estimate: 0.005 };
  const interval = { estimate: 0.005, lower: -0.01, upper: 0.02, limit: 0.02, confidence: 0.95 };
  const effect = { unit: 'meanDifference', ...interval } as const;
  const reported = [{ metric: 'labelledLoss', ...slice, ...counts, effect } as const];
  const text = formatRollout(aRolloutStatus({ reported }));
  t.match(text, /labelledLoss\{region=eu\} +· reported +1,200 +9\/3 +0\.00500 +- +decides nothing/);
  t.match(
    text,
    /Only reported:\n {2}labelledLoss\{region=eu\}: difference 0\.00500, with 95 % between -0\.0100 and 0\.0200/,
  );
  t.notMatch(formatRollout(aRolloutStatus()), /reported/i);
  t.end();
});

t.test('what it waits for takes two lines, broken at words, and no more', async (t) => {
  const why =
    'step 2 of 7: labelledLoss{tone=dark} needs ~800 more labels (12 min at this rate). Label tone=dark first, or widen margins.labelledLoss.';
  const lines = formatRollout(aRolloutStatus({ why }), { columns: 80 }).split('\n');
  const at = lines.findIndex((line) => line.startsWith('Waits:'));
  t.same(lines.slice(at, at + 3), [
    'Waits:   step 2 of 7: labelledLoss{tone=dark} needs ~800 more labels (12 min at',
    '         this rate). Label tone=dark first, or widen margins.labelledLoss.',
    '',
  ]);
  const wide = formatRollout(aRolloutStatus({ why }), { columns: 200 });
  t.equal(fact(wide, 'Waits:'), why);
  const long = { why: `${why} ${why}` };
  t.match(
    formatRollout(aRolloutStatus(long), { columns: 80 }),
    /margins\.labelledLoss\. \.\.\.\n\n/,
  );
  const ended = formatRollout(aRolloutStatus({ ...long, endedMs: 9 }), { columns: 80 });
  t.match(ended, /margins\.labelledLoss\.\n\n/, 'why it ended is shown whole');
});

t.test(
  'below its rule a metric shows its effect and the smallest margin proven so far',
  async (t) => {
    const effect = {
      unit: 'rateDifference',
      estimate: 0.001,
      lower: -0.0021,
      upper: 0.0043,
    } as const;
    const text = formatRollout(
      aRolloutStatus({
        metrics: [
          aMetric({ proven: { margin: 0.0126, ofMargin: 0.63 } }),
          aMetric({
            label: 'errors',
            effect: { ...effect, limit: 0.004, confidence: 0.95 },
            proven: { margin: { ratio: 3, absolute: 0.003 }, ofMargin: 1.5 },
          }),
        ],
      }),
    );
    t.match(text, /^ {2}labelledLoss: 0\.03\n {4}smallest margin proven so far 0\.0126$/m);
    t.match(
      text,
      /^ {4}difference of the rates 0\.00100, with 95 % between -0\.00210 and 0\.00430; smallest margin proven so far 3\.00 x reference, 0\.300 %$/m,
    );
  },
);

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

t.test('no line of numbers is wider than a terminal, however long its words', async (t) => {
  const long = 'no live requests of the candidate at equal shares: use control: true, or 50 %';
  const margin = 'slower than max(1.5 x twin, twin + 2 ms) in at most half of the pairs';
  const label = 'labelledLoss{garment=upper,tone=dark}';
  const text = formatRollout(
    aRolloutStatus({ metrics: [aMetric({ label, margin, missing: long })] }),
  );
  const widest = Math.max(...text.split('\n').map((line) => line.length));
  t.ok(widest <= 120, `${widest} characters`);
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
  t.match(fact(text, 'errors'), / - +0\.0200 +cannot say$/);
  t.match(fact(text, 'slowRequests'), / - +0\.0200 +see below$/);
  t.match(text, /^ {2}slowRequests: 0\.03\n {4}no control yet$/m);
  t.match(fact(text, 'pairedLatency'), /can only reject$/);
});

t.test('every column of a table begins at one place, for any content', async (t) => {
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
      const lines = formatTable(rows).split('\n');
      let start = 0;
      for (const column of rows[0]?.keys() ?? []) {
        for (const [at, row] of rows.entries()) {
          const cell = row[column] ?? '';
          const line = lines[at] ?? '';
          const place = placeOf(line, start);
          if (widthOf(line.slice(0, place)) !== start || !line.startsWith(cell, place))
            return false;
        }
        start += Math.max(...rows.map((row) => widthOf(row[column] ?? ''))) + 2;
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

const PLAN: Plan = {
  requestsPerSecond: 400,
  steps: [
    { number: 1, task: 'mirror it', requests: 0, hours: 0, limit: 0, slowest: undefined },
    {
      number: 2,
      task: 'prove errors',
      requests: 12_345,
      hours: 0.0125,
      limit: 9_876,
      slowest: 'errors',
    },
  ],
  requests: 12_345,
  hours: 0.0125,
  limit: 9_876,
  labels: 0,
  units: undefined,
  isTooLong: false,
  beyondMax: [],
  failuresSeen: 9,
  effects: [],
  smallest: [],
  improvement: undefined,
  leastImprovement: undefined,
  holdback: undefined,
  anchor: undefined,
  attempt: { number: 1, falsePromotion: 0.0304 },
};

t.test('a plan reads as what comes, how long it takes and what it may cost', async (t) => {
  t.equal(
    formatPlan(PLAN),
    `Expected, if the candidate is as good as stable and every label comes (at 400 requests a second):
  1  mirror it     immediately
  2  prove errors  about 12,345 requests  45 s  for errors
In all about 12,345 requests, 45 s. No test can do with less than 9,876. A candidate that always fails would be rolled back after about 9 failed requests; stable answers those.`,
  );
});

t.test('a plan says how many distinct users live errors take', async (t) => {
  const text = formatPlan({ ...PLAN, units: 3_955 });
  t.match(text, /^With a sticky key users count once: errors needs about 3,955 distinct ones\.$/m);
});

t.test(
  'a plan of a claim of better says how much better it takes the candidate to be',
  async (t) => {
    const text = formatPlan({ ...PLAN, improvement: 0.02, leastImprovement: 0.0042 });
    t.match(
      text,
      /^Expected, if the candidate is better \(wrong on 2\.0 % less of the labelled pairs\)/,
    );
    t.match(
      text,
      /\nThe least improvement that is proven within maxDuration: wrong on 0\.42 % less/,
    );
  },
);

t.test('a plan says what of the allowed loss is used', async (t) => {
  const anchor = { version: '1', spent: { loss: 0.009, unmeasured: 0 }, allowed: 0.02 };
  const text = formatPlan({ ...PLAN, anchor });
  t.match(text, /Held to anchor 1: stable has used 0\.009 of the 0\.02 loss allowed since\./);
});

t.test('a plan shows labels, attempts, and what worse candidates cost', async (t) => {
  const effect = { times: 5, errorRate: 0.005, isStopped: true, requests: 40_000, hours: 0.5 };
  const text = formatPlan({
    ...PLAN,
    labels: 2_900,
    attempt: { number: 3, falsePromotion: 0.00338 },
    effects: [
      { ...effect, times: 2, errorRate: 0.002, worse: undefined, isStopped: false, failed: 28 },
      { ...effect, worse: 'errors', failed: 66 },
      { ...effect, times: 10, worse: undefined, requests: undefined, hours: undefined, failed: 7 },
    ],
    smallest: [
      { metric: 'errors', rate: 0.0044, reference: 0.001 },
      { metric: 'pairedLatency', rate: undefined, reference: 0 },
    ],
  });
  t.match(text, / Labels: 2,900\. /);
  t.match(text, /\nAttempt 3 at these weights within 30 days: 0\.34 % is left/);
  t.match(text, /^ {2}2 x the errors \(0\.20 %\) +within the margins: promoted +about 40,000/m);
  t.match(text, /^ {2}5 x .* rolled back on errors +about 40,000 requests +30 min +66 failed/m);
  t.match(text, /^ {2}10 x .* not proven either way by maxDuration +7 failed, answered/m);
  t.notMatch(text, /rolled back on nothing/);
  t.match(text, /^ {2}errors +0\.44 % +reference 0\.10 %$/m);
  t.match(text, /^ {2}pairedLatency +nothing$/m);
});

t.test('a plan that cannot be kept says so', async (t) => {
  t.match(formatPlan({ ...PLAN, isTooLong: true }), /\nThat is longer than maxDuration: expect/);
  t.match(
    formatPlan({ ...PLAN, beyondMax: ['labelledLoss', 'errors'] }),
    /\nThat is more than maxSamples for labelledLoss, errors: expect/,
  );
  const endless = { number: 3, task: 'pause until resumed', limit: 0, slowest: undefined };
  const steps = [...PLAN.steps, { ...endless, requests: undefined, hours: undefined }];
  const text = formatPlan({
    ...PLAN,
    steps,
    requests: undefined,
    hours: undefined,
    limit: undefined,
    isTooLong: true,
  });
  t.match(text, /pause until resumed +does not end by itself\nA step does not end by itself\./);
  t.notMatch(text, /maxDuration/);
  const unknown = formatPlan({
    ...PLAN,
    requestsPerSecond: undefined,
    hours: undefined,
    failuresSeen: 0,
  });
  t.match(unknown, /no rate known yet: --rate gives one/);
  t.match(
    unknown,
    /In all about 12,345 requests\. No test .* 9,876\. The candidate answers no live request\.$/,
  );
});

/** The place in a line of the character that begins at a column of the screen. */
function placeOf(line: string, column: number): number {
  let at = 0;
  while (at < line.length && widthOf(line.slice(0, at)) < column) at += 1;
  return at;
}
t.test('a reload is a line for each key and a count', async (t) => {
  const changes = [
    { key: 'models.m.batch.rowsMax', from: '32 (default)', to: '8', effect: 'applied' },
    { key: 'server.http', from: '127.0.0.1:8000', to: '127.0.0.1:9000', effect: 'restart' },
  ] as const;
  t.equal(
    formatReload({ changes, notes: ['models.n: not served: no folder'], dryRun: false }),
    `models.m.batch.rowsMax: 32 (default) -> 8 (applied)
server.http: 127.0.0.1:8000 -> 127.0.0.1:9000 (needs a restart)
models.n: not served: no folder
1 applied, waiting for a restart: 1.`,
  );
  t.match(formatReload({ changes, notes: [], dryRun: true }), /8 \(would be applied\)$/m);
  t.match(formatReload({ changes: [], notes: [], dryRun: false }), /^Nothing to do/);
});

t.test('a plan shows what is held back once the candidate is promoted', async (t) => {
  const smallest = [{ metric: 'errors', rate: 0.0087, reference: 0.001 }];
  const holdback = { percent: 5, hours: 6, requests: 10_800, smallest };
  t.match(
    formatPlan({ ...PLAN, holdback }),
    /\nOnce promoted: 5 % stays on the former version for 6 h, beside as much of the candidate's traffic: about 10,800 requests each\.\nThe least that undoes .*:\n {2}errors +0\.87 % +reference 0\.10 %$/,
  );
  t.match(
    formatPlan({ ...PLAN, holdback: { ...holdback, requests: undefined, smallest: [] } }),
    /traffic\.$/,
  );
});
