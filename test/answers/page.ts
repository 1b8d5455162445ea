import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { betweenMarks } from '../../bench/calibration/between-marks.ts';
import type { Finding } from './finding.ts';
import { amount, HEADING, rowOf } from './table.ts';

/** The page that is written, and the results beside it that it is made of. */
export async function publish(page: string, findings: readonly Finding[]): Promise<void> {
  const measured = new Set(findings.map(({ model }) => model));
  const kept = (await readFindings(page)).filter(({ model }) => !measured.has(model));
  const all = [...kept, ...findings].sort((a, b) => (a.model < b.model ? -1 : 1));
  const file = resultsOf(page);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(all, null, 2)}\n`);
  await writeFile(page, withFindings(await readFile(page, 'utf8'), all));
}

const HALVES = { choose: 'first', verify: 'second' } as const;

/** What is kept beside a page; nothing where there is nothing yet. */
export async function readFindings(page: string): Promise<readonly Finding[]> {
  const text = await readFile(resultsOf(page), 'utf8').catch(() => '[]');
  return JSON.parse(text) as readonly Finding[];
}

function resultsOf(page: string): string {
  return path.join(page.replace(/\.md$/, ''), 'results', 'answers.json');
}

/** The page with all tables between their marks. */
export function withFindings(page: string, findings: readonly Finding[]): string {
  const tables = {
    models: modelsOf(findings),
    tolerances: tolerancesOf(findings),
    verdicts: table(HEADING, findings.map(rowOf)),
  };
  return Object.entries(tables).reduce(
    (text, [name, rows]) => betweenMarks(text, name, rows),
    page,
  );
}

function modelsOf(findings: readonly Finding[]): string {
  const byModel = new Map(findings.map((finding) => [finding.model, finding]));
  const rows = [...byModel.values()].map(({ model, kind, source, licence, half, comparator }) => [
    model,
    kind,
    source,
    licence,
    HALVES[half === 'choose' ? 'choose' : 'verify'],
    `\`${comparator}\``,
  ]);
  return table(['model', 'kind', 'from', 'licence', 'half', 'compared by'], rows);
}

/** Of the changes without labels: those that should pass and those that should not, by family and half. */
function tolerancesOf(findings: readonly Finding[]): string {
  const unlabelled = findings.filter(({ intent }) => intent === 'equivalent');
  const groups = new Map<string, Finding[]>();
  for (const finding of unlabelled) {
    const key = `${finding.comparator}|${finding.half}`;
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  const rows = [...groups.entries()].sort().map(([key, group]) => {
    const [comparator = '', half] = key.split('|');
    const harmless = group.filter(({ expected }) => expected === 'promoted');
    const harmful = group.filter(({ expected }) => expected === 'rolledBack');
    const greatest = harmless.flatMap(({ distance }) => distance?.greatest ?? []);
    const medians = harmful.flatMap(({ distance }) => distance?.median ?? []);
    return [
      `\`${comparator}\``,
      HALVES[half === 'choose' ? 'choose' : 'verify'],
      percent(Math.max(...harmless.map(({ differing }) => differing))),
      greatest.length === 0 ? '' : amount(Math.max(...greatest)),
      percent(Math.min(...harmful.map(({ differing }) => differing))),
      medians.length === 0 ? '' : amount(Math.min(...medians)),
    ];
  });
  const heading = [
    'compared by',
    'half',
    'differ at most',
    'greatest',
    'differ at least',
    'median',
  ];
  return table(heading, rows);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n');
}
