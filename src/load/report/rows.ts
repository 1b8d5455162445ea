import type { BenchRecord } from '../nouns/result.ts';
import { compareHeadline, compareTables } from './compare-rows.ts';
import { notesOf, warningsOf, wrongExamplesOf } from './describe.ts';
import { runHeadline, runTables, withWarning } from './run-rows.ts';
import { sloHeadline, sloTables } from './slo-rows.ts';
import { soakHeadline, soakTables } from './soak-rows.ts';
import { sweepHeadline, sweepTables } from './sweep-rows.ts';
import { type Table, table } from './table.ts';

/** What a record says, in tables; the warnings come first. */
export function tablesOf(record: BenchRecord): readonly Table[] {
  return [
    ...sentenceTables('Warnings', 'Why the figures are invalid', warningsOf(record)),
    ...resultTables(record),
  ];
}

/** The tables without the warnings. */
export function resultTables(record: BenchRecord): readonly Table[] {
  return [
    ...modeTables(record),
    ...sentenceTables('Notes', 'What to know when reading the figures', notesOf(record)),
    ...sentenceTables(
      'Wrong answers',
      'The first few, and how they differ',
      wrongExamplesOf(record),
    ),
  ];
}

function sentenceTables(
  title: string,
  heading: string,
  sentences: readonly string[],
): readonly Table[] {
  if (sentences.length === 0) return [];
  return [table(title, [[heading], ...sentences.map((sentence) => [sentence])])];
}

function modeTables({ result }: BenchRecord): readonly Table[] {
  switch (result.mode) {
    case 'run':
      return runTables(result);
    case 'sweep':
      return sweepTables(result);
    case 'compare':
      return compareTables(result);
    case 'slo':
      return sloTables(result);
    case 'soak':
      return soakTables(result);
  }
}

/** One sentence, or two, that say the result; warnings come first. */
export function headlineOf({ result }: BenchRecord): string {
  switch (result.mode) {
    case 'run':
      return withWarning(runHeadline(result), result.report.warnings);
    case 'sweep':
      return sweepHeadline(result);
    case 'compare':
      return compareHeadline(result);
    case 'slo':
      return sloHeadline(result);
    case 'soak':
      return withWarning(soakHeadline(result), result.report.warnings);
  }
}
