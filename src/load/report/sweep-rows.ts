import {
  chosenText,
  countText,
  limitText,
  msNumber,
  numberText,
  percentText,
  quantileText,
} from '../../core/text.ts';
import type { SweepResult } from '../nouns/result.ts';
import { errorCount, shareText } from './run-rows.ts';
import { type Table, table } from './table.ts';

/** The rates that were tried, with the knee. */
export function sweepTables(result: SweepResult): readonly Table[] {
  const { points, kneePerSecond, kneeGoodRatio, capacityPerSecond } = result;
  return [
    table(
      'Rates tried',
      [
        [
          'Of capacity',
          'Offered/s',
          'Answered/s',
          'Good/s',
          'Good of offered',
          'p50 ms',
          'p99 ms',
          'p99 from sending ms',
          'Queue ms',
          'Compute ms',
          'Failed',
          '',
        ],
        ...points.map(({ ofCapacity, perSecond, report, server }) => {
          const { measured } = report;
          const answered = measured.ok > 0;
          return [
            ofCapacity.toFixed(2),
            numberText(measured.offeredPerSecond),
            numberText(measured.okPerSecond),
            numberText(measured.goodPerSecond),
            shareText(measured.good, measured.offered),
            answered ? msNumber(measured.latency.p50Ms) : '-',
            answered ? msNumber(measured.latency.p99Ms) : '-',
            answered ? msNumber(measured.service.p99Ms) : '-',
            msNumber(server?.queueMs ?? Number.NaN),
            msNumber(server?.computeMs ?? Number.NaN),
            shareText(errorCount(measured), measured.offered),
            [perSecond === kneePerSecond ? 'knee' : '', report.warnings.length > 0 ? 'warning' : '']
              .filter(Boolean)
              .join(', '),
          ];
        }),
      ],
      [
        `Capacity: ${numberText(capacityPerSecond)} answers a second, the most that a closed loop got.`,
        `Knee: the highest rate of which at least ${quantileText(kneeGoodRatio)} was good, with all lower ones too. Good: answered within ${deadlineText(result)}.`,
      ],
    ),
    closedTable(result),
  ];
}

function closedTable({ closed }: SweepResult): Table {
  return table('Closed loops that found the capacity', [
    ['Requests at a time', 'Answers/s', 'p50 ms', 'p99 ms', 'Failed', ''],
    ...closed.map(({ concurrency, report }) => {
      const { measured, answersPerSecond, warnings } = report;
      return [
        countText(concurrency),
        numberText(answersPerSecond),
        measured.ok > 0 ? msNumber(measured.service.p50Ms) : '-',
        measured.ok > 0 ? msNumber(measured.service.p99Ms) : '-',
        shareText(errorCount(measured), measured.offered),
        warnings.length > 0 ? 'warning' : '',
      ];
    }),
  ]);
}

export function sweepHeadline(result: SweepResult): string {
  const { capacityPerSecond, kneePerSecond, kneeGoodRatio, points } = result;
  const warned = points.filter(({ report }) => report.warnings.length > 0).length;
  const warning = warned === 0 ? '' : `Warnings at ${warned} of ${points.length} rates. `;
  const capacity = `a closed loop got ${numberText(capacityPerSecond)}`;
  const knee =
    kneePerSecond === undefined
      ? `No tried rate was answered well to ${quantileText(kneeGoodRatio)}; ${capacity}`
      : `Up to ${numberText(kneePerSecond)} requests a second at least ${quantileText(kneeGoodRatio)} are answered within ${deadlineText(result)}; ${capacity}`;
  return `${warning}${knee}${overloadText(result)}.`;
}

/** What is left of the best goodput at the highest rate: whether a server bends or breaks. */
function overloadText({ points }: SweepResult): string {
  const last = points.at(-1);
  const best = points.reduce(
    (most, { report }) => Math.max(most, report.measured.goodPerSecond),
    0,
  );
  if (last === undefined || last.ofCapacity <= 1 || best === 0) return '';
  const left = last.report.measured.goodPerSecond / best;
  return `, and at ${chosenText(Number(last.ofCapacity.toFixed(2)))} times that ${percentText(left)} of the best good rate is left`;
}

function deadlineText({ points }: SweepResult): string {
  const first = points[0];
  return first === undefined ? 'the deadline' : limitText(first.report.deadlineMs);
}
