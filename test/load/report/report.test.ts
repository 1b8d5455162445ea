import fc from 'fast-check';
import t from 'tap';
import type { LoadProgress } from '../../../src/load/nouns/load-report.ts';
import type { BenchRecord, CompareResult } from '../../../src/load/nouns/result.ts';
import { csvOf, csvText } from '../../../src/load/report/csv.ts';
import { type LiveContext, liveLines, sparkline } from '../../../src/load/report/live-view.ts';
import { pageOf } from '../../../src/load/report/page.ts';
import { headlineOf, tablesOf } from '../../../src/load/report/rows.ts';
import { alignedRows, table } from '../../../src/load/report/table.ts';
import {
  aComparison,
  aLoad,
  aRatio,
  aRecord,
  aSoak,
  aSummary,
  aSweep,
  aTimeline,
  aTrial,
  failedFigures,
  recordOfEach,
  someFigures,
  someTrials,
} from './report-builders.ts';
import { parseCsv } from './report-parsers.ts';

function aRun(...[over]: Parameters<typeof aLoad>): BenchRecord {
  return aRecord({ mode: 'run', ...aLoad(over) });
}

/** All cells and notes of a record's tables, one after the other. */
function textOf(record: BenchRecord): string {
  return tablesOf(record)
    .flatMap(({ title, rows, notes }) => [title, ...rows.flat(), ...notes])
    .join('\n');
}

t.test(
  'the headline of a run says what was answered of what was offered, and how fast',
  async (t) => {
    t.equal(
      headlineOf(aRun()),
      'Answered 498 of 500 requests a second; 99 % within 12.3 ms; 0.40 % failed.',
    );
    const flawless = someFigures({ offered: 100, ok: 100, errors: {}, okPerSecond: 500 });
    t.equal(
      headlineOf(aRun({ measured: flawless })),
      'Answered 500 of 500 requests a second; 99 % within 12.3 ms.',
    );
  },
);

t.test('a run without an answer shows no latency, and says what happened instead', async (t) => {
  const record = aRun({ measured: failedFigures(), timeline: aTimeline(failedFigures()) });
  t.equal(
    headlineOf(record),
    'Answered none of 30,000 requests: connection: ECONNREFUSED (96.7 % of the errors).',
  );
  const latency = tablesOf(record).find(({ title }) => title === 'Latency, milliseconds');
  t.same(latency?.rows[4]?.slice(0, 3), ['p99', '-', '-']);
  t.notOk(pageOf(record).includes('Latency by percentile'));
  t.notOk(pageOf(record).includes('Latency over time'));
});

t.test('a load that sent nothing divides by nothing', async (t) => {
  const nothing = { ...failedFigures(), offered: 0, errors: {}, offeredPerSecond: 0 };
  const record = aRun({ measured: nothing, timeline: [] });
  t.equal(headlineOf(record), 'Sent no request in 50 s.');
  t.notMatch(pageOf(record), /NaN|Infinity|undefined/);
});

t.test('the headline of a run that is not valid says so first', async (t) => {
  const record = aRun({ warnings: ['The generator was late.'] });
  t.match(headlineOf(record), /^Invalid, see the warnings\. Answered 498/);
  t.equal(tablesOf(record)[0]?.title, 'Warnings');
});

t.test('a sweep is summed up by its knee and by what is left beyond it', async (t) => {
  t.equal(
    headlineOf(aRecord(aSweep())),
    'Up to 480 requests a second at least 95 % are answered within 100 ms; a closed loop got 533, and at 3 times that 91.4 % of the best good rate is left.',
  );
  t.match(
    headlineOf(aRecord(aSweep({ kneePerSecond: undefined }))),
    /^No tried rate was answered well to 95 %/,
  );
  const [rates] = tablesOf(aRecord(aSweep()));
  t.same(
    rates?.rows.filter((row) => row.at(-1) === 'knee').map(([ofCapacity]) => ofCapacity),
    ['0.90'],
  );
});

t.test('a comparison is summed up by its p99, with the interval and the noise', async (t) => {
  t.equal(
    headlineOf(aRecord(aComparison())),
    "B's p99 is 1.12 times A's (1.05 to 1.20), higher; A/A control: 0.99 (0.95 to 1.03).",
  );
  t.equal(
    headlineOf(aRecord(aComparison({ ratios: [aRatio('p99', 1.02)] }))),
    "B's p99 does not clearly differ from A's: 1.02 times (0.96 to 1.09); A/A control: 0.99 (0.95 to 1.03).",
  );
  t.equal(headlineOf(aRecord(aComparison({ ratios: [] }))), 'Nothing was compared.');
  const leftOut = aComparison({ leftOut: ['Round 3 had no answer of B.'] });
  t.match(textOf(aRecord(leftOut)), 'Round 3 had no answer of B.');
});

t.test('a comparison that leaves out the invalid rounds has no warnings', async (t) => {
  const spoiltIn = (rounds: number): CompareResult['blocks'] =>
    aComparison().blocks.map((block) =>
      block.round > rounds
        ? block
        : { ...block, report: { ...block.report, warnings: ['It was late.'] } },
    );
  const one = aRecord(aComparison({ blocks: spoiltIn(1) }));
  t.match(headlineOf(one), /^Without 1 of 10 rounds, which the generator spoilt: B's p99 is 1.12/);
  t.notMatch(textOf(one), 'Why the figures are invalid');
  t.match(textOf(one), 'A, round 1: It was late.');
  const most = aRecord(aComparison({ blocks: spoiltIn(9), trusted: false }));
  t.match(headlineOf(most), /^Warnings in 27 of 30 blocks\. /);
  t.match(textOf(most), 'Why the figures are invalid');
});

t.test('a search for a rate is summed up by the proven rate, or by there being none', async (t) => {
  const search = {
    mode: 'slo',
    quantile: 0.99,
    withinMs: 50,
    confidence: 0.95,
    proofsMax: 3,
    perSecond: 460,
    trials: someTrials(),
  } as const;
  t.equal(
    headlineOf(aRecord(search)),
    'Proven: up to 460 requests a second, 99 % within 50 ms, with 95 % confidence.',
  );
  t.equal(
    headlineOf(aRecord({ ...search, perSecond: undefined })),
    '1 of 8 trials were invalid. No tried rate is proven to be answered 99 % within 50 ms with 95 % confidence.',
  );
  const tooFew = { ...search, trials: [aTrial(100, { lateMax: undefined })] };
  t.match(textOf(aRecord(tooFew)), 'too few');
});

t.test('a soak is summed up by what drifted', async (t) => {
  t.match(
    headlineOf(aRecord(aSoak())),
    /^Over 1 h 55 min p99 drifted from 13\.5 ms to 18\.9 ms and memory drifted from 212 MiB to 297 MiB\. Answered/,
  );
  const calm = aSoak().drifts.map((drift) => ({ ...drift, drifts: false }));
  t.match(
    headlineOf(aRecord(aSoak({ drifts: calm }))),
    /^Over 1 h 55 min p50, p99, errors and memory did not drift\./,
  );
  t.match(textOf(aRecord(aSoak({ memoryMiB: undefined, drifts: [] }))), 'No process was watched');
});

t.test('what a waiting tool would hide is said where it matters, and only there', async (t) => {
  const note = /Users would have felt 250 ms at p99; a tool .* would show 9\.00 ms/;
  const stalled = someFigures({ latency: aSummary(50, 5), service: aSummary(3, 3) });
  t.match(textOf(aRun({ measured: stalled })), note);
  const even = someFigures({ latency: aSummary(3, 3), service: aSummary(3, 3) });
  t.notMatch(textOf(aRun({ measured: even })), /Users would have felt/);
  t.match(
    textOf(aRun({ arrivals: { kind: 'closed', concurrency: 8 } })),
    /hide what users would have felt/,
  );
});

t.test('CSV survives any text in its cells', async () => {
  const cell = fc.oneof(fc.string(), fc.constantFrom('a,b', '"', '""', 'a\r\nb', '\n', ' '));
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (cells) => {
      const parsed = parseCsv(csvText(cells.map(([a, b]) => ({ a, 'b, "c"': b }))));
      const expected = [['a', 'b, "c"'], ...cells];
      return JSON.stringify(parsed) === JSON.stringify(expected);
    }),
  );
});

t.test('each mode has its rows in its CSV, all as wide as the heading', async (t) => {
  const counts = { run: 60, sweep: 13, compare: 30, slo: 8, soak: 240 };
  for (const record of recordOfEach()) {
    const rows = parseCsv(csvOf(record));
    const { mode } = record.result;
    t.equal(rows.length, 1 + counts[mode], mode);
    t.same([...new Set(rows.map((row) => row.length))], [rows[0]?.length], mode);
    t.ok(rows[0]?.includes('latency_p99_ms'));
    t.ok(rows[0]?.includes('good_per_s'));
  }
  const soak = parseCsv(csvOf(aRecord(aSoak())));
  t.equal(soak[0]?.at(-1), 'memory_mib');
  t.equal(soak[7]?.at(-1), String(aSoak().memoryMiB?.[6]));
});

t.test('CSV leaves a latency empty where there was no answer', async (t) => {
  const timeline = aTimeline(failedFigures(), { count: 1 });
  const [names, row] = parseCsv(csvOf(aRun({ measured: failedFigures(), timeline })));
  t.equal(row?.[names?.indexOf('latency_p99_ms') ?? -1], '');
  t.equal(row?.[names?.indexOf('ok_requests') ?? -1], '0');
});

t.test('columns of numbers line up on their right', async (t) => {
  t.same(
    alignedRows([
      ['name', 'ms'],
      ['a', '1.00'],
      ['b', '1,234'],
    ]),
    [
      ['name', '   ms'],
      ['a', ' 1.00'],
      ['b', '1,234'],
    ],
  );
  t.same(
    table(
      '',
      [
        ['a', ''],
        ['1', ''],
      ],
      [undefined],
    ).rows,
    [['a'], ['1']],
  );
});

const progress: LoadProgress = {
  elapsedMs: 15_000,
  durationMs: 60_000,
  warmup: false,
  inFlight: 12,
  waiting: 0,
  answersPerSecond: 497,
  p50Ms: 3.1,
  p99Ms: 12.3,
  errors: 0,
};
const context: LiveContext = {
  name: 'A, round 3 of 10',
  offeredPerSecond: 500,
  inFlightMax: 64,
  p99History: [10, 20, 12.3],
  columns: 80,
};

t.test('a live view says how far the load is and how it goes', async (t) => {
  t.same(liveLines(progress, context), [
    'A, round 3 of 10',
    '██████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  25 %  45 s left',
    'answers       497 /s of 500 offered',
    'latency  p50 3.10 ms     p99 12.3 ms     ▅█▅',
    'requests       12 of 64 in flight; 0 errors',
  ]);
});

t.test('a live view says that it warms up, what waits, and what the end waits for', async (t) => {
  const lines = (over: Partial<LoadProgress>): string =>
    liveLines({ ...progress, ...over }, context).join('\n');
  t.match(lines({ warmup: true }), 'warming up, 45 s left');
  t.match(lines({ waiting: 1500, errors: 1 }), '1,500 waiting for room; 1 error');
  t.match(lines({ elapsedMs: 60_010, waiting: 3 }), 'waiting for 15 answers');
  t.match(lines({ elapsedMs: 60_010, inFlight: 0 }), 'done');
  t.match(lines({ answersPerSecond: 0, p50Ms: 0, p99Ms: 0 }), /p50 - +p99 - /);
});

t.test('a live view stays within the lines of its terminal', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 200 }), fc.nat(70_000), (columns, elapsedMs) =>
      liveLines({ ...progress, elapsedMs }, { ...context, columns }).every(
        (line) => [...line].length <= columns,
      ),
    ),
  );
});

t.test('a sparkline rises with its values and has a gap where there was nothing', async (t) => {
  t.equal(sparkline([1, 2, 3, 4, 5, 6, 7, 8]), '▂▃▄▅▆▇██');
  t.equal(sparkline([0, 8, Number.NaN]), ' █ ');
});
