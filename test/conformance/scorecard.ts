import { type Level, SECTIONS } from './case.ts';
import type { Result } from './run-cases.ts';

type Count = { passed: number; failed: number; skipped: number };

const LEVELS: readonly Level[] = ['required', 'recommended', 'extension'];
const KINDS = { pass: 'passed', fail: 'failed', skip: 'skipped' } as const;

/** What of the results decides the exit code. */
export function requiredFailures(results: readonly Result[]): number {
  return results.filter((each) => each.case.level === 'required' && each.finding.kind === 'fail')
    .length;
}

/** The card as text: a table of sections and wires, then everything that failed, was skipped or is worth a word. */
export function scorecard(results: readonly Result[]): string {
  return [
    ...table(results),
    '',
    ...levels(results),
    ...failures(results),
    ...skips(results),
    ...notes(results),
  ].join('\n');
}

/** The card for machines. */
export function scorecardJson(results: readonly Result[]): string {
  const cases = results.map(({ case: { id, section, level, claim, reference }, wire, finding }) => {
    const { kind, ...facts } = finding;
    const { outputs: _, ...shown } = facts as { outputs?: unknown };
    return { id, section, level, claim, reference, wire, result: KINDS[kind], ...shown };
  });
  const total = Object.fromEntries(
    LEVELS.map((level) => [level, countOf(results.filter((each) => each.case.level === level))]),
  );
  return `${JSON.stringify({ kit: 'open-inference-protocol-v2', total, cases }, null, 2)}\n`;
}

/** A row per section, a column per wire: passed/run, with what was skipped in brackets. */
function table(results: readonly Result[]): readonly string[] {
  const wires = [...new Set(results.map(({ wire }) => wire))];
  const sections = SECTIONS.filter((name) => results.some((each) => each.case.section === name));
  const rows = sections.map((section) => {
    const own = results.filter((each) => each.case.section === section);
    const cells = wires.map((wire) => cell(own.filter((each) => each.wire === wire)));
    return [section, ...cells, cell(own)];
  });
  const last = [
    'total',
    ...wires.map((wire) => cell(results.filter((each) => each.wire === wire))),
  ];
  return aligned([['section', ...wires, 'all'], ...rows, [...last, cell(results)]]);
}

function cell(results: readonly Result[]): string {
  if (results.length === 0) return '-';
  const { passed, failed, skipped } = countOf(results);
  return `${passed}/${passed + failed}${skipped > 0 ? ` (${skipped})` : ''}`;
}

function countOf(results: readonly Result[]): Count {
  const count: Count = { passed: 0, failed: 0, skipped: 0 };
  for (const { finding } of results) count[KINDS[finding.kind]] += 1;
  return count;
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((text, column) =>
        column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
}

function levels(results: readonly Result[]): readonly string[] {
  return LEVELS.map((level) => {
    const { passed, failed, skipped } = countOf(
      results.filter((each) => each.case.level === level),
    );
    const run = passed + failed;
    const share = run === 0 ? 'none run' : `${((100 * passed) / run).toFixed(1)} %`;
    return `${level}: ${passed} of ${run} passed (${share}), ${skipped} skipped`;
  });
}

const SHOWN_CHARACTERS = 300;

function failures(results: readonly Result[]): readonly string[] {
  return results.flatMap(({ case: { id, level, claim, reference }, wire, finding }) => {
    if (finding.kind !== 'fail') return [];
    return [
      '',
      `FAILED ${id} over ${wire} (${level}): ${claim}`,
      `  ${reference} | ${finding.request}`.slice(0, SHOWN_CHARACTERS),
      `  expected ${finding.expected}; found ${finding.found}`.slice(0, 2 * SHOWN_CHARACTERS),
    ];
  });
}

/** By reason: forty skips for want of one extension are one line. */
function skips(results: readonly Result[]): readonly string[] {
  const reasons = results.flatMap(({ case: { id }, finding }) =>
    finding.kind === 'skip' ? [{ id, reason: finding.why }] : [],
  );
  return grouped('SKIPPED', reasons);
}

function notes(results: readonly Result[]): readonly string[] {
  const reasons = results.flatMap(({ case: { id }, finding }) =>
    finding.kind === 'pass' && finding.note !== undefined ? [{ id, reason: finding.note }] : [],
  );
  return grouped('NOTED', reasons);
}

const IDS_SHOWN = 6;

function grouped(
  title: string,
  entries: readonly { readonly id: string; readonly reason: string }[],
): readonly string[] {
  const byReason = new Map<string, Set<string>>();
  for (const { id, reason } of entries) {
    byReason.set(reason, (byReason.get(reason) ?? new Set()).add(id));
  }
  if (byReason.size === 0) return [];
  const lines = [...byReason].map(([reason, ids]) => {
    const shown = [...ids].slice(0, IDS_SHOWN).join(', ');
    const more = ids.size > IDS_SHOWN ? ` and ${ids.size - IDS_SHOWN} more` : '';
    return `  ${reason}: ${shown}${more}`;
  });
  return ['', title, ...lines];
}
