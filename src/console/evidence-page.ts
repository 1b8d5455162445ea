import type { Effect } from '../core/metric-detail.ts';
import { pagePolicy } from '../core/page-policy.ts';
import { ALL_BP } from '../core/route.ts';
import { countText, durationText, numberText, percentText } from '../core/text.ts';
import { inlineSvg } from '../plots/drawing.ts';
import { type Markup, markup } from '../plots/markup.ts';
import { PAGE_STYLE } from '../plots/page-style.ts';
import type { CheckedExport, EvidenceExport } from '../rollout/evidence/export.ts';
import { effectPlot, eValuePlot, weightPlot } from './evidence-plots.ts';

/**
 * The evidence of a rollout as one HTML page that needs nothing but itself: no script, no font, no picture from elsewhere. Its policy
 * lets nothing be loaded and no style be used but its own, for any content of the ledger.
 */
export function evidencePage(checked: CheckedExport): string {
  const { evidence } = checked;
  const title = titleOf(evidence);
  const head = markup`<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${pagePolicy(String(PAGE_STYLE))}"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${title}</title><style>${PAGE_STYLE}</style>`;
  const main = markup`${warningBox(checked)}<header><p class="kicker">Understudy rollout evidence · ${evidence.id} · began ${momentText(evidence.startedMs)}</p><h1>${title}</h1><p class="lead">${leadOf(evidence)}</p></header>${keysOf(evidence)}${figures(evidence)}${metricTable(evidence)}${reportedTable(evidence)}${decisionTable(evidence)}${recordSection(checked)}`;
  return `<!DOCTYPE html>\n${markup`<html lang="en"><head>${head}</head><body><main>${main}</main></body></html>`}\n`;
}

function titleOf({ spec, phase }: EvidenceExport): string {
  const { model, stable, candidate } = spec;
  const versions = `${model}: version ${candidate} against ${stable}`;
  const ends = {
    loading: 'is being loaded',
    progressing: 'is on trial',
    paused: 'is paused',
    holdback: 'was promoted, with a holdback',
    promoted: 'was promoted',
    rolledBack: 'was rolled back',
    aborted: 'was aborted',
  } as const satisfies Record<EvidenceExport['phase']['kind'], string>;
  return `${versions} ${ends[phase.kind]}`;
}

function leadOf({ decisions, phase }: EvidenceExport): string {
  if ('why' in phase && phase.why !== undefined) return phase.why;
  return decisions.at(-1)?.why ?? 'Nothing has been decided yet.';
}

function keysOf({ spec, verdict, startedMs, looks, weights }: EvidenceExport): Markup {
  const lastMs = Math.max(0, (looks.at(-1)?.atMs ?? startedMs) - startedMs);
  const keys: readonly (readonly [string, string, string])[] = [
    ['Verdict', verdict ?? 'none', 'at the last look'],
    ['Intent', spec.intent, ''],
    ['Claim', spec.claim ?? 'noWorse', ''],
    ...anchorKey(spec),
    ['Last look after', durationText(lastMs), ''],
    ['Live traffic', percentText((weights.at(-1)?.weightBp ?? 0) / ALL_BP), 'of the candidate'],
    ['False rollback', percentText(spec.errorBudget.falseRollback), 'at most'],
    ['False promotion', percentText(spec.errorBudget.falsePromotion), 'at most'],
  ];
  return markup`<dl class="keys tall">${keys.map(([name, value, note]) => markup`<div><dt>${name}</dt><dd>${value} <small>${note === '' ? '\u00A0' : note}</small></dd></div>`)}</dl>`;
}

function figures(evidence: EvidenceExport): Markup {
  const panels = evidence.metrics.flatMap(({ label, margin }) => [
    {
      drawing: eValuePlot(evidence, label),
      caption: 'A line that reaches its threshold proves its claim.',
    },
    {
      drawing: effectPlot(evidence, label),
      caption: `With a 95 % confidence sequence. Rule: ${margin}.`,
    },
  ]);
  const reported = evidence.reported.map(({ label }) => ({
    drawing: effectPlot(evidence, label),
    caption: 'With a 95 % confidence sequence. Only reported: it decides nothing.',
  }));
  const all = [
    ...panels,
    ...reported,
    { drawing: weightPlot(evidence), caption: "The candidate's share of live traffic." },
  ];
  return markup`<div class="plots">${all.map(
    ({ drawing, caption }, place) =>
      markup`<figure${place === all.length - 1 ? markup` class="wide"` : undefined}><figcaption><h2>${drawing.title}</h2><p>${caption}</p></figcaption><div class="scroll">${inlineSvg(drawing, `plot-${place + 1}`)}</div></figure>`,
  )}</div>`;
}

function metricTable({ metrics }: EvidenceExport): Markup {
  const rows = metrics.map((metric) => [
    metric.label,
    findingText(metric),
    metric.role === 'gate' ? 'gates' : 'can only reject',
    countText(metric.samples),
    `${countText(metric.candidateEvents)}/${countText(metric.referenceEvents)}`,
    shown(metric.estimate),
    shown(metric.limit),
    effectText(metric.effect),
    metric.proven === undefined ? '-' : `${shown(metric.proven.ofMargin)} x`,
    metric.missing ?? '',
  ]);
  const heading = ['Metric', 'Finding', 'Role', 'Samples', 'Bad cand/ref', 'Measured', 'Limit'];
  return section('Metrics at the last look', [
    [...heading, 'Effect (95 %)', 'Proven so far, of the margin', 'Missing'],
    ...rows,
  ]);
}

function anchorKey({
  anchor,
}: EvidenceExport['spec']): readonly (readonly [string, string, string])[] {
  if (anchor === undefined) return [];
  return [['Anchor', anchor.version, `${shown(anchor.spent.loss)} lost since`]];
}

function findingText({ superior, finding }: EvidenceExport['metrics'][number]): string {
  if (superior === true) return 'better';
  return finding === 'nonInferior' ? 'no worse' : finding;
}

/** Absent where no slice is only reported. */
function reportedTable({ reported }: EvidenceExport): Markup | undefined {
  if (reported.length === 0) return undefined;
  return section('Only reported, at the last look', [
    ['Slice', 'Samples', 'Bad cand/ref', 'Measured', 'Effect (95 %)'],
    ...reported.map((metric) => [
      metric.label,
      countText(metric.samples),
      `${countText(metric.candidateEvents)}/${countText(metric.referenceEvents)}`,
      shown(metric.estimate),
      effectText(metric.effect),
    ]),
  ]);
}

function decisionTable({ decisions }: EvidenceExport): Markup {
  return section('Decisions', [
    ['Record', 'Time', 'What', 'Decided by', 'Why'],
    ...decisions.map(({ record, atMs, what, why, decidedBy }) => [
      String(record),
      momentText(atMs),
      what,
      decidedBy.join(', '),
      why,
    ]),
  ]);
}

function section(title: string, [heading = [], ...rows]: readonly (readonly string[])[]): Markup {
  return markup`<section><h2>${title}</h2><div class="scroll"><table><thead><tr>${heading.map((cell) => markup`<th scope="col">${cell}</th>`)}</tr></thead><tbody>${rows.map((row) => markup`<tr>${row.map((cell) => markup`<td>${cell}</td>`)}</tr>`)}</tbody></table></div></section>`;
}

function recordSection({ evidence, chain, replayed }: CheckedExport): Markup {
  const { digests, record, headHash, steps, spec, rules } = evidence;
  const rows: readonly (readonly [string, string])[] = [
    ['Package of stable', digests.stable],
    ['Package of candidate', digests.candidate],
    ['Last record', `${record}, hash ${headHash}`],
    ['Ledger', `${countText(chain.records)} records, head ${chain.head}`],
    [
      'Recomputed',
      `${countText(replayed.decisions)} decisions, ${countText(replayed.disagreements)} differ`,
    ],
    ['Rules', String(rules)],
    ['Steps', steps.join('; ')],
    ['Margins', JSON.stringify(spec.margins)],
  ];
  return markup`<section><h2>What it rests on</h2><table><tbody>${rows.map(([name, value]) => markup`<tr><th scope="row">${name}</th><td><code>${value}</code></td></tr>`)}</tbody></table><p class="note">understudy evidence verify and understudy evidence replay check the ledger itself.</p></section>`;
}

function warningBox({ replayed }: CheckedExport): Markup | undefined {
  if (replayed.disagreements === 0) return undefined;
  return markup`<aside class="warnings" role="note"><h2>⚠ Warning: this evidence cannot be trusted</h2><ul><li>${replayed.disagreements} recorded decisions do not follow from their evidence.</li></ul></aside>`;
}

function effectText(effect: Effect | undefined): string {
  if (effect === undefined) return '-';
  return `${shown(effect.estimate)} (${shown(effect.lower)} to ${shown(effect.upper)})`;
}

function shown(value: number | undefined): string {
  return value === undefined ? '-' : numberText(value);
}

/** `2026-11-30 16:04:05 UTC`; what is no moment is left out. */
function momentText(ms: number): string {
  const moment = new Date(ms);
  if (Number.isNaN(moment.getTime())) return '-';
  return `${moment.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
