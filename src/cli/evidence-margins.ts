import { countText, durationText } from '../core/text.ts';
import type { Finding } from '../core/verdict.ts';
import { decide } from '../decide/decide.ts';
import { readLedger } from '../ledger/file.ts';
import {
  type MarginFinding,
  type MarginReplay,
  type ReplayedMetric,
  replayMargins,
} from '../rollout/evidence/margins.ts';
import { colours } from './colours.ts';
import { foldersOf, notALedger } from './evidence-commands.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { marginText, readMargins } from './margin-text.ts';
import { print, readFormat } from './output.ts';
import { formatTable } from './table.ts';

export type MarginsOptions = {
  readonly output: string;
  /** True: no other margins, only the smallest that are proven. */
  readonly margins: string | true;
  readonly archive?: string | undefined;
};

/**
 * `understudy evidence replay --margins`: what the recorded evidence of a rollout says under other margins, and the smallest that it
 * proves. Exit code 2 if there is no such rollout, 3 if it has no look on record.
 */
export async function replayWithMargins(
  folder: string,
  name: string | undefined,
  { margins, output, archive }: MarginsOptions,
): Promise<void> {
  const format = readFormat(output);
  const marginsFrom = readMargins(margins === true ? '' : margins);
  if (name === undefined) {
    throw new CommandError(
      EXIT.usage,
      '--margins: expected a rollout as well, by its id or its model: evidence replay <ledger> <rollout> --margins ...',
    );
  }
  const read = () => readLedger(foldersOf(folder, { archive }));
  const question = { name: { idOrModel: name }, marginsFrom, decide };
  const replayed = await replayMargins(read, question).catch(notALedger(folder));
  if (replayed === undefined) {
    throw new CommandError(
      EXIT.usage,
      `expected the id of a rollout or a model that had one, found no rollout ${name} in ${folder}`,
    );
  }
  await print(replayed, format, formatMarginReplay);
  process.exitCode = replayed.looks === 0 ? EXIT.inconclusive : EXIT.ok;
}

const FINDINGS = {
  worse: colours.red('✖ worse'),
  nonInferior: colours.green('✔ no worse'),
  undecided: colours.yellow('? undecided'),
} as const satisfies Record<Finding, string>;

/** What other margins would have said, as text. */
export function formatMarginReplay(replayed: MarginReplay): string {
  const { id, model, stable, candidate, phase, looks, verdict, reasons, caution } = replayed;
  const heading = ['METRIC', 'MARGIN', 'RECORDED', 'ASKED', 'WOULD BE', 'SMALLEST PROVEN'];
  const rows = replayed.metrics.map((metric) => rowOf(metric, replayed));
  const table = formatTable([heading.map((cell) => colours.bold(cell)), ...rows]);
  const end =
    verdict === undefined
      ? ['No look is on record.']
      : [
          `Verdict at the last look: recorded ${verdict.recorded}, with these margins ${verdict.asked}.`,
          ...(verdict.asked === 'pass' ? [] : reasons.map((reason) => `  ${reason}`)),
          ...firstChange(replayed),
        ];
  return [
    `${id}: ${model} ${stable} -> ${candidate}, ${phase}, ${countText(looks)} looks`,
    colours.yellow(caution),
    '',
    ...(rows.length === 0 ? [] : [table, '']),
    ...end,
  ].join('\n');
}

function rowOf(metric: ReplayedMetric, { margins, startedMs }: MarginReplay): readonly string[] {
  const { smallest } = metric;
  const [own, asked] = [margins.recorded, margins.asked].map((each) => {
    const { metric: name } = metric;
    const isLoss = name === 'liveLoss' || name === 'anchorLoss';
    const margin = each[isLoss ? 'labelledLoss' : name];
    return typeof margin === 'object' && !('absolute' in margin) ? '-' : marginText(margin);
  });
  const found = ({ finding, since }: MarginFinding): string =>
    since === undefined
      ? FINDINGS[finding]
      : `${FINDINGS[finding]} after ${durationText(Math.max(0, since.atMs - startedMs))}`;
  const proven =
    smallest === undefined
      ? '-'
      : `${marginText(smallest.margin)} after ${durationText(Math.max(0, smallest.atMs - startedMs))}`;
  return [
    metric.label,
    own ?? '',
    found(metric.recorded),
    own === asked ? 'the same' : (asked ?? ''),
    found(metric.asked),
    proven,
  ];
}

function firstChange({ changed: [first], startedMs }: MarginReplay): readonly string[] {
  if (first === undefined) return ['No look would have ended otherwise.'];
  const { record, atMs, verdict, action } = first;
  const sides =
    action.recorded === action.asked
      ? `verdict ${verdict.asked} in place of ${verdict.recorded}`
      : `${action.asked} in place of ${action.recorded}`;
  const after = durationText(Math.max(0, atMs - startedMs));
  return [
    `The first look that differs: record ${record}, after ${after}: ${sides}. What came after it would have been other evidence.`,
  ];
}
