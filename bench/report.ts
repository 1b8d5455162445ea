import { formatFigure, formatGoal, type SuiteResult } from './figure.ts';
import type { KeptResult } from './results.ts';

const HEADING = ['figure', 'unit', 'median', 'quartiles', 'goal'] as const;

/** A suite's figures as rows of cells, the first of which is the heading. */
export function rowsOf({ figures }: SuiteResult): readonly (readonly string[])[] {
  const rows = figures.map((figure) => {
    const { name, unit, spread } = figure;
    const { median, low, high } = spread;
    const quartiles = `${formatFigure(low, unit)} to ${formatFigure(high, unit)}`;
    return [name, unit, formatFigure(median, unit), quartiles, formatGoal(figure)];
  });
  return [HEADING, ...rows];
}

/** Every result as a Markdown section with its table, its conditions and the machine it was taken on. */
export function reportOf(results: readonly KeptResult[]): string {
  return results.map(sectionOf).join('\n\n');
}

const OPENING = '<!-- results -->';
const CLOSING = '<!-- /results -->';

/** The page with the report in the place that its two comments mark. Throws an Error where they are not there. */
export function withReport(page: string, report: string): string {
  const start = page.indexOf(OPENING);
  const end = page.indexOf(CLOSING);
  if (start < 0 || end < start) throw new Error(`expected ${OPENING} and ${CLOSING} in the page`);
  return `${page.slice(0, start + OPENING.length)}\n${report}\n${page.slice(end)}`;
}

function sectionOf(result: KeptResult): string {
  const [heading = [], ...rows] = rowsOf(result).map((cells) => `| ${cells.join(' | ')} |`);
  const rule = `|${HEADING.map((_, column) => (column < 2 ? ' --- ' : ' ---: ')).join('|')}|`;
  const { node, processor, cores, memoryGiB } = result.machine;
  return [
    `### ${result.suite}`,
    '',
    `${result.title}.`,
    '',
    heading,
    rule,
    ...rows,
    '',
    `Taken ${result.takenAt.slice(0, 10)} on ${cores} cores (${processor}, ${memoryGiB} GiB), Node ${node}; ${conditionsOf(result)}.`,
  ].join('\n');
}

/** `blockMs 3000, rounds 11`. */
export function conditionsOf({ conditions }: SuiteResult): string {
  return Object.entries(conditions)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
