import {
  countText,
  durationText,
  limitText,
  msNumber,
  msText,
  numberText,
  percentText,
} from '../../core/text.ts';
import type { LatencySummary, LoadFigures, LoadReport } from '../nouns/load-report.ts';
import type { RunResult } from '../nouns/result.ts';
import type { ServerSplit } from '../nouns/target.ts';
import { type Table, table } from './table.ts';

/** The tables of one load: rates, errors, latencies, where the time went. */
export function runTables({
  report,
  server,
}: Pick<RunResult, 'report' | 'server'>): readonly Table[] {
  return [
    rateTable(report),
    latencyTable(report),
    ...splitTables(report, server),
    ...errorTables(report.measured),
  ];
}

/** One sentence that says what the load showed. */
export function runHeadline({ report }: Pick<RunResult, 'report'>): string {
  const { measured, arrivals, warmupMs, durationMs } = report;
  if (measured.offered === 0) return `Sent no request in ${durationText(durationMs - warmupMs)}.`;
  if (measured.ok === 0)
    return `Answered none of ${countText(measured.offered)} requests: ${mainError(measured)}.`;
  const late = `99 % within ${msText(measured.latency.p99Ms)}`;
  if (arrivals.kind === 'closed')
    return `Answered ${numberText(report.answersPerSecond)} requests a second in ${arrivals.concurrency === 1 ? 'a closed loop of 1' : `a closed loop of ${countText(arrivals.concurrency)}`}; ${late}.`;
  const failed = 1 - measured.ok / measured.offered;
  const errors = failed === 0 ? '' : `; ${percentText(failed)} failed`;
  return `Answered ${numberText(measured.okPerSecond)} of ${numberText(measured.offeredPerSecond)} requests a second; ${late}${errors}.`;
}

/** The sentence with the warning that must come before it. */
export function withWarning(headline: string, warnings: readonly string[]): string {
  return warnings.length === 0 ? headline : `Invalid, see the warnings. ${headline}`;
}

/** What a tool that measures from the sending would have left out; undefined: next to nothing. */
export function waitNote({ measured, inFlightMax, arrivals }: LoadReport): string | undefined {
  if (arrivals.kind === 'closed')
    return 'A closed loop waits for each answer before it asks again: its latencies hide what users would have felt.';
  const [felt, shown] = [measured.latency.p99Ms, measured.service.p99Ms];
  if (felt - shown < 1 || felt < shown * 1.1) return undefined;
  const why =
    measured.lag.p99Ms > (felt - shown) / 2
      ? ''
      : `, while ${countText(inFlightMax)} requests were in flight already`;
  return `Users would have felt ${msText(felt)} at p99; a tool that measures from the sending would show ${msText(shown)}. The rest is the wait before the sending${why}.`;
}

/** Where the mean latency of a load went, as far as the server says; in milliseconds, in the order of a request. */
export function splitOf(
  { measured }: Pick<LoadReport, 'measured'>,
  server: ServerSplit | undefined,
): readonly { readonly name: string; readonly ms: number }[] {
  const { latency, service } = measured;
  const before = { name: 'before the sending', ms: Math.max(0, latency.meanMs - service.meanMs) };
  if (server === undefined) return [before, { name: 'from sending to answer', ms: service.meanMs }];
  const { queueMs, computeMs } = server;
  // The server's means are of all its requests, failed ones too, so the rest may come out below nothing.
  const rest = Math.max(0, service.meanMs - queueMs - computeMs);
  return [
    before,
    { name: 'network and protocol', ms: rest },
    { name: 'queue', ms: queueMs },
    { name: 'compute', ms: computeMs },
  ];
}

function rateTable(report: LoadReport): Table {
  const { measured, warmup } = report;
  const row = (name: string, count: keyof Counts, rate: keyof Rates): readonly string[] => [
    name,
    countText(measured[count]),
    numberText(measured[rate]),
    shareText(measured[count], measured.offered),
    warmup === undefined ? '-' : numberText(warmup[rate]),
  ];
  return table(
    'Rates',
    [
      ['', 'Requests', 'Per second', 'Of offered', 'In warm-up, per second'],
      row('Offered', 'offered', 'offeredPerSecond'),
      row('Answered', 'ok', 'okPerSecond'),
      row(`Good (within ${limitText(report.deadlineMs)})`, 'good', 'goodPerSecond'),
    ],
    [
      `${numberText(report.answersPerSecond)} answers a second came within the measured ${durationText(report.durationMs - report.warmupMs)}, whenever their requests had started.`,
    ],
  );
}

type Counts = Pick<LoadFigures, 'offered' | 'ok' | 'good'>;
type Rates = Pick<LoadFigures, 'offeredPerSecond' | 'okPerSecond' | 'goodPerSecond'>;

const PERCENTILES = [
  ['p50', 'p50Ms'],
  ['p90', 'p90Ms'],
  ['p95', 'p95Ms'],
  ['p99', 'p99Ms'],
  ['p99.9', 'p999Ms'],
  ['Most', 'maxMs'],
  ['Mean', 'meanMs'],
] as const satisfies readonly (readonly [string, keyof LatencySummary])[];

function latencyTable(report: LoadReport): Table {
  const { measured, warmup } = report;
  const cell = (summary: LatencySummary | undefined, key: keyof LatencySummary): string =>
    summary === undefined || summary.count === 0 ? '-' : msNumber(summary[key]);
  return table(
    'Latency, milliseconds',
    [
      ['', 'From intended start', 'From sending', 'Sent late by', 'In warm-up'],
      ...PERCENTILES.map(([name, key]) => [
        name,
        cell(measured.latency, key),
        cell(measured.service, key),
        cell(measured.lag, key),
        cell(warmup?.latency, key),
      ]),
    ],
    [waitNote(report)],
  );
}

function splitTables(report: LoadReport, server: ServerSplit | undefined): readonly Table[] {
  if (report.measured.ok === 0) return [];
  const parts = splitOf(report, server);
  const total = parts.reduce((sum, { ms }) => sum + ms, 0);
  return [
    table(
      'Where the time went, mean',
      [
        ['', 'Milliseconds', 'Share'],
        ...parts.map(({ name, ms }) => [capital(name), msNumber(ms), shareText(ms, total)]),
      ],
      [
        server === undefined
          ? 'The server keeps no statistics, so its queue and compute times are not known separately.'
          : `Queue and compute as the server says, over ${countText(server.requests)} requests, ${numberText(server.requestsPerRun)} to a run of the model.`,
      ],
    ),
  ];
}

function errorTables(measured: LoadFigures): readonly Table[] {
  const kinds = Object.entries(measured.errors).sort(([, a], [, b]) => b - a);
  if (kinds.length === 0) return [];
  return [
    table('Errors', [
      ['Kind', 'Requests', 'Of offered'],
      ...kinds.map(([kind, count]) => [kind, countText(count), shareText(count, measured.offered)]),
    ]),
  ];
}

/** The errors of a stretch, all kinds together. */
export function errorCount({ errors }: Pick<LoadFigures, 'errors'>): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}

/** The most frequent kind of error with its share of all. */
function mainError(figures: LoadFigures): string {
  const [first] = Object.entries(figures.errors).sort(([, a], [, b]) => b - a);
  if (first === undefined) return 'no answer and no error was seen';
  return `${first[0]} (${percentText(first[1] / errorCount(figures))} of the errors)`;
}

/** A part of a whole; of nothing there is no share. */
export function shareText(part: number, whole: number): string {
  return whole === 0 ? '-' : percentText(part / whole);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
