import { missedGoals, type PowerResult } from './power.ts';

const count = (value: number): string => value.toLocaleString('en-US');

export const POWER_HEADING = [
  'metric',
  'truth',
  'finding',
  'runs',
  'found',
  'limit',
  'median',
  'mean',
  'p90',
  'mean / limit',
  'goal',
] as const;

export function powerRowOf(result: PowerResult): readonly string[] {
  const { name, truth, finding, runs, found, limit, median, mean, ninetieth, goal } = result;
  return [
    name,
    truth,
    finding,
    count(runs),
    `${Math.round((100 * found) / runs)} %`,
    count(limit),
    count(median),
    count(mean),
    count(ninetieth),
    found === 0 ? '' : (mean / limit).toFixed(2),
    goal === undefined ? 'none: blocks' : `${goal}`,
  ];
}

/** The last line of a power run. */
export function powerCountText(results: readonly PowerResult[]): string {
  const aimed = results.filter(({ goal }) => goal !== undefined);
  const missed = missedGoals(results).length;
  return `${aimed.length - missed} rows within their goal, ${missed} beyond`;
}

/** The table as Markdown. */
export function powerReportOf(results: readonly PowerResult[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = `|${POWER_HEADING.map((_, at) => (at < 3 ? ' --- ' : ' ---: ')).join('|')}|`;
  return ['', `${powerCountText(results)}.`, '', line(POWER_HEADING), rule]
    .concat(
      results.map((result) => line(powerRowOf(result))),
      '',
    )
    .join('\n');
}
