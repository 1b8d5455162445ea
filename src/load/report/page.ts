import { pagePolicy } from '../../core/page-policy.ts';
import { inlineSvg } from '../../plots/drawing.ts';
import { type Markup, markup } from '../../plots/markup.ts';
import { PAGE_STYLE } from '../../plots/page-style.ts';
import type { BenchRecord, ModeResult } from '../nouns/result.ts';
import { conditionRows, loadText, targetText, warningsOf } from './describe.ts';
import type { KeyFigure, Panel } from './panel.ts';
import { compareKeys, comparePanels } from './panels/compare-panels.ts';
import { loadKeys, loadPanels } from './panels/load-panels.ts';
import { sloKeys, sloPanels } from './panels/slo-panels.ts';
import { soakPanels } from './panels/soak-panels.ts';
import { sweepKeys, sweepPanels } from './panels/sweep-panels.ts';
import { headlineOf, resultTables } from './rows.ts';
import { numberColumns, type Table } from './table.ts';

/**
 * A record as one HTML page that needs nothing but itself: no script, no font, no picture from elsewhere. Its policy lets
 * nothing be loaded and no style be used but its own, for any content of the record.
 */
export function pageOf(record: BenchRecord): string {
  const { result } = record;
  const headline = headlineOf(record);
  const { keys, panels } = viewOf(result);
  const head = markup`<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${pagePolicy(String(PAGE_STYLE))}"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${headline}</title><style>${PAGE_STYLE}</style>`;
  const main = markup`${warningBox(warningsOf(record))}${header(record, headline)}${keyList(keys)}<div class="plots">${panels.map(panelMarkup)}</div>${resultTables(record).map(tableMarkup)}${conditionSection(record)}`;
  return `<!DOCTYPE html>\n${markup`<html lang="en"><head>${head}</head><body><main>${main}</main></body></html>`}\n`;
}

const MODES = {
  run: 'One load',
  sweep: 'Sweep over the load',
  compare: 'Comparison of A and B',
  slo: 'Search for the highest rate',
  soak: 'Soak',
} as const satisfies Record<ModeResult['mode'], string>;

function viewOf(result: ModeResult): { keys: readonly KeyFigure[]; panels: readonly Panel[] } {
  switch (result.mode) {
    case 'run':
      return { keys: loadKeys(result), panels: loadPanels(result) };
    case 'sweep':
      return { keys: sweepKeys(result), panels: sweepPanels(result) };
    case 'compare':
      return { keys: compareKeys(result), panels: comparePanels(result) };
    case 'slo':
      return { keys: sloKeys(result), panels: sloPanels(result) };
    case 'soak':
      return { keys: loadKeys(result), panels: soakPanels(result) };
  }
}

function header({ conditions, result }: BenchRecord, headline: string): Markup {
  const { targets, takenAt } = conditions;
  const [first, second] = targets.map(targetText);
  const against = second === undefined ? (first ?? '') : `A: ${first ?? ''}; B: ${second}`;
  const load =
    result.mode === 'run' || result.mode === 'soak' ? `Load: ${loadText(result.report)}.` : '';
  return markup`<header><p class="kicker">Understudy load benchmark · ${MODES[result.mode]} · ${takenAt}</p><h1>${unbroken(headline)}</h1><p class="lead">${against}.</p><p class="lead">${load}</p></header>`;
}

/** Keeps a number and its unit on one line. */
function unbroken(text: string): string {
  return text.replace(/(\d) (?=(%|ms|s|h|min|MiB)\b|%)/g, '$1\u00A0');
}

function warningBox(warnings: readonly string[]): Markup | undefined {
  if (warnings.length === 0) return undefined;
  return markup`<aside class="warnings" role="note"><h2>⚠ Warnings: these figures are invalid</h2><ul>${warnings.map((warning) => markup`<li>${warning}</li>`)}</ul></aside>`;
}

function keyList(keys: readonly KeyFigure[]): Markup {
  const entries = keys.map(
    ({ name, value, unit }) =>
      markup`<div><dt>${name}</dt><dd>${value} <small>${unit === '' ? '\u00A0' : unit}</small></dd></div>`,
  );
  // Where a unit does not fit next to its number, all units stand below.
  const isTall = keys.some(({ unit }) => unit.length > 8);
  return markup`<dl class="keys${isTall ? ' tall' : ''}">${entries}</dl>`;
}

function panelMarkup({ drawing, caption, wide = false }: Panel, place: number): Markup {
  return markup`<figure${wide ? markup` class="wide"` : undefined}><figcaption><h2>${drawing.title}</h2><p>${caption}</p></figcaption><div class="scroll">${inlineSvg(drawing, `plot-${place + 1}`)}</div></figure>`;
}

function tableMarkup({ title, rows, notes }: Table): Markup {
  return markup`<section><h2>${title}</h2><div class="scroll">${rowsMarkup(rows)}</div>${notes.map((note) => markup`<p class="note">${note}</p>`)}</section>`;
}

function rowsMarkup(rows: Table['rows']): Markup {
  const [heading = [], ...body] = rows;
  const numeric = numberColumns(rows);
  const look = (column: number): Markup | undefined =>
    numeric.has(column) ? markup` class="number"` : undefined;
  const headCells = heading.map(
    (cell, column) => markup`<th scope="col"${look(column)}>${cell}</th>`,
  );
  const bodyRows = body.map((row) => {
    const cells = row.map((cell, column) =>
      column === 0 && !numeric.has(0) && row.length > 1
        ? markup`<th scope="row">${cell}</th>`
        : markup`<td${look(column) ?? markup` class="word"`}>${cell}</td>`,
    );
    return markup`<tr>${cells}</tr>`;
  });
  return markup`<table><thead><tr>${headCells}</tr></thead><tbody>${bodyRows}</tbody></table>`;
}

function conditionSection({ conditions }: BenchRecord): Markup {
  const rows = conditionRows(conditions)
    .slice(1)
    .map(([name = '', value = '']) => {
      const shown = name === 'Command' ? markup`<code>${value}</code>` : markup`${value}`;
      return markup`<tr><th scope="row">${name}</th><td>${shown}</td></tr>`;
    });
  return markup`<section><h2>How it was measured</h2><table><tbody>${rows}</tbody></table></section>`;
}
