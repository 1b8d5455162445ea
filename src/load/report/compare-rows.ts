import { msNumber, numberText, quantileText, ratioText } from '../../core/text.ts';
import type { CompareResult, ConfidenceInterval, Ratio } from '../nouns/result.ts';
import { errorCount, shareText } from './run-rows.ts';
import { type Table, table } from './table.ts';

export function compareTables(result: CompareResult): readonly Table[] {
  const { leftOut } = result;
  const left = leftOut.map((sentence) => [sentence]);
  return [
    ratioTable(result),
    ...(left.length === 0 ? [] : [table('Left out of the ratios', [['What and why'], ...left])]),
    blockTable(result),
  ];
}

export function compareHeadline(result: CompareResult): string {
  const { ratios } = result;
  const chosen = ratios.find(({ figure }) => figure === 'p99') ?? ratios[0];
  return `${warningOf(result)}${chosen === undefined ? 'Nothing was compared.' : ratioSentence(chosen)}`;
}

function warningOf({ blocks, rounds, trusted }: CompareResult): string {
  const warned = blocks.filter(({ report }) => report.warnings.length > 0);
  if (warned.length === 0) return '';
  if (!trusted) return `Warnings in ${warned.length} of ${blocks.length} blocks. `;
  const spoilt = new Set(warned.map(({ round }) => round));
  return `Without ${spoilt.size} of ${rounds} rounds, which the generator spoilt: `;
}

/** The rounds that the ratios are of: those that are left out are not among them. */
export function roundsIn(ratios: readonly Ratio[]): number {
  return ratios[0]?.a.length ?? 0;
}

/** One ratio in a sentence, with its interval and the noise that it is held against. */
function ratioSentence({ figure, ratio, aaControl, finding }: Ratio): string {
  const noise = `A/A control: ${intervalText(aaControl)}`;
  if (finding === 'no clear difference')
    return `B's ${figure} does not clearly differ from A's: ${ratioText(ratio.estimate)} times (${rangeText(ratio)}); ${noise}.`;
  return `B's ${figure} is ${ratioText(ratio.estimate)} times A's (${rangeText(ratio)}), ${finding}; ${noise}.`;
}

function ratioTable({ ratios, confidence }: CompareResult): Table {
  return table(
    'B over A',
    [
      [
        'Figure',
        'A, median',
        'B, median',
        'B over A',
        'Interval',
        'A/A control',
        'Interval',
        'Finding',
      ],
      ...ratios.map(({ figure, ratio, aaControl, a, b, finding }) => [
        figure,
        medianText(a, figure),
        medianText(b, figure),
        ratioText(ratio.estimate),
        rangeText(ratio),
        ratioText(aaControl.estimate),
        rangeText(aaControl),
        finding,
      ]),
    ],
    [
      `Latencies in milliseconds, rates per second; medians over ${roundsIn(ratios)} interleaved rounds, intervals of ${quantileText(confidence)}.`,
      'A difference needs both: the interval excludes 1, and the ratio lies outside the interval of the A/A control.',
    ],
  );
}

function blockTable({ blocks }: CompareResult): Table {
  return table('Blocks in the order that they ran', [
    [
      'Round',
      'Arm',
      'Offered/s',
      'Answered/s',
      'Good/s',
      'p50 ms',
      'p90 ms',
      'p99 ms',
      'Failed',
      '',
    ],
    ...blocks.map(({ arm, round, report }) => {
      const { measured } = report;
      const { latency, ok } = measured;
      const ms = (value: number): string => (ok === 0 ? '-' : msNumber(value));
      return [
        String(round),
        arm,
        numberText(measured.offeredPerSecond),
        numberText(measured.okPerSecond),
        numberText(measured.goodPerSecond),
        ms(latency.p50Ms),
        ms(latency.p90Ms),
        ms(latency.p99Ms),
        shareText(errorCount(measured), measured.offered),
        report.warnings.length > 0 ? 'warning' : '',
      ];
    }),
  ]);
}

function medianText(values: readonly number[], figure: Ratio['figure']): string {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) return '-';
  const median = (low + high) / 2;
  return figure.endsWith('rate') ? numberText(median) : msNumber(median);
}

function intervalText(interval: ConfidenceInterval): string {
  return `${ratioText(interval.estimate)} (${rangeText(interval)})`;
}

function rangeText({ lower, upper }: ConfidenceInterval): string {
  return `${ratioText(lower)} to ${ratioText(upper)}`;
}
