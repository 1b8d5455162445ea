import { basename } from 'node:path';
import type { Spread } from './blocks.ts';
import { type Figure, formatFigure, formatGoal, type SuiteResult } from './figure.ts';
import { picturesOf } from './pictures.ts';
import type { KeptResult } from './results.ts';

const HEADING = ['figure', 'unit', 'median', 'quartiles', 'A/A control', 'goal'] as const;

/** A suite's figures as rows of cells, the first of which is the heading. */
export function rowsOf({ figures }: SuiteResult): readonly (readonly string[])[] {
  const rows = figures.map(({ name, unit, spread, aaControl, goal }) => [
    name,
    unit,
    formatFigure(spread.median, unit),
    quartiles(spread, unit),
    aaControl === undefined
      ? ''
      : `${formatFigure(aaControl.median, unit)} (${quartiles(aaControl, unit)})`,
    formatGoal(goal),
  ]);
  return [HEADING, ...rows];
}

function quartiles({ low, high }: Spread, unit: Figure['unit']): string {
  return `${formatFigure(low, unit)} to ${formatFigure(high, unit)}`;
}

/** Every result as a Markdown section with its table, its pictures, its conditions and the machine it was taken on. */
export function reportOf(results: readonly KeptResult[], pictureFolder = ''): string {
  return results.map((result) => sectionOf(result, pictureFolder)).join('\n\n');
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

function sectionOf(result: KeptResult, pictureFolder: string): string {
  const [heading = [], ...rows] = rowsOf(result).map((cells) => `| ${cells.join(' | ')} |`);
  const rule = `|${HEADING.map((_, column) => (column < 2 ? ' --- ' : ' ---: ')).join('|')}|`;
  const { node, processor, cores, memoryGiB } = result.machine;
  const pictures = picturesOf(result).map(
    ({ file, title }) => `![${title}](${pictureFolder}${basename(file)})`,
  );
  return [
    `### ${result.suite}`,
    '',
    `${result.title}.`,
    '',
    heading,
    rule,
    ...rows,
    '',
    ...pictures.flatMap((picture) => [picture, '']),
    `Taken ${result.takenAt.slice(0, 10)} on ${cores} cores (${processor}, ${memoryGiB} GiB), Node ${node}; ${conditionsOf(result)}.${loadsOf(result)}`,
  ].join('\n');
}

/** `rounds 11, blockMs 3000, requestsInFlight 6`. */
export function conditionsOf({ conditions, effort }: SuiteResult): string {
  // A suite without loads has no blocks that last.
  const { rounds, ...times } = effort;
  const asked = times.blockMs > 0 ? { rounds, ...times } : { rounds };
  return Object.entries({ ...asked, ...conditions })
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

/** How many loads have warnings of the generator. */
export function loadsOf({ loads: { run, withWarnings, warnings } }: SuiteResult): string {
  if (run === 0) return '';
  if (withWarnings === 0) return ` The generator kept up in all ${run} loads.`;
  const [first = ''] = warnings;
  return ` ${withWarnings} of ${run} loads have warnings; the first: ${first}`;
}
