import {
  counted,
  countText,
  limitText,
  msNumber,
  numberText,
  quantileText,
} from '../../core/text.ts';
import type { SloResult, SloTrial } from '../nouns/result.ts';
import { runTables, shareText } from './run-rows.ts';
import { type Table, table } from './table.ts';

export function sloTables(result: SloResult): readonly Table[] {
  const { trials, withinMs, quantile, confidence, proofsMax } = result;
  const proof = provenTrial(result);
  const trialTable = table(
    'Rates tried, in order',
    [
      [
        'Stage',
        'Offered/s',
        'Requests',
        'Late',
        'May be late',
        'Late share',
        'p50 ms',
        'p99 ms',
        'Verdict',
      ],
      ...trials.map((trial) => [
        trial.stage,
        numberText(trial.perSecond),
        countText(trial.requests),
        countText(trial.late),
        trial.lateMax === undefined ? 'too few' : countText(trial.lateMax),
        shareText(trial.late, trial.requests),
        latencyText(trial, 'p50Ms'),
        latencyText(trial, 'p99Ms'),
        trial.verdict,
      ]),
    ],
    [
      `Late: later than ${limitText(withinMs)}, refused or wrong. With "may be late" of so many requests, the claim of ${quantileText(quantile)} still holds with the confidence asked of the trial; "too few": so many requests cannot show it, even with none late.`,
      `Up to ${counted(proofsMax, 'proof')} share the error that ${quantileText(confidence)} confidence allows.`,
    ],
  );
  const details = proof === undefined ? [] : runTables(proof);
  return [
    trialTable,
    ...details.map((one) => ({ ...one, title: `${one.title} (at the proven rate)` })),
  ];
}

export function sloHeadline(result: SloResult): string {
  const { perSecond, quantile, withinMs, confidence, trials } = result;
  const claim = `${quantileText(quantile)} within ${limitText(withinMs)}`;
  const invalid = trials.filter(({ verdict }) => verdict === 'invalid').length;
  const warned = (provenTrial(result)?.report.warnings.length ?? 0) > 0;
  if (perSecond !== undefined)
    return `${warned ? 'Invalid, see the warnings. ' : ''}Proven: up to ${numberText(perSecond)} requests a second, ${claim}, with ${quantileText(confidence)} confidence.`;
  const why = invalid === 0 ? '' : `${invalid} of ${trials.length} trials were invalid. `;
  return `${why}No tried rate is proven to be answered ${claim} with ${quantileText(confidence)} confidence.`;
}

/** The trial that the claim rests on. */
export function provenTrial({ trials, perSecond }: SloResult): SloTrial | undefined {
  return trials.findLast(
    (trial) =>
      trial.perSecond === perSecond && trial.stage === 'proof' && trial.verdict === 'holds',
  );
}

function latencyText({ report }: SloTrial, key: 'p50Ms' | 'p99Ms'): string {
  const { latency } = report.measured;
  return latency.count === 0 ? '-' : msNumber(latency[key]);
}
