import { labelsMatchNeither } from '../core/label-evidence.ts';
import type { LabelCounts } from '../core/label-state.ts';
import type { Effect } from '../core/metric-detail.ts';
import {
  ageText,
  chosenText,
  counted,
  countText,
  durationText,
  percentText,
  tenthsText,
} from '../core/text.ts';
import type { MetricStatus } from '../core/verdict.ts';
import type { RolloutStatus } from '../rollout/status.ts';
import { colours } from './colours.ts';
import { COLUMN_GAP, formatTable } from './table.ts';
import { COLUMNS } from './terminal-size.ts';
import { wrappedTo } from './wrapped.ts';

export const PHASE_GLYPHS = {
  loading: colours.cyan('◌'),
  progressing: colours.cyan('◌'),
  paused: colours.yellow('॥'),
  holdback: colours.green('◌'),
  promoted: colours.green('✔'),
  rolledBack: colours.red('✖'),
  aborted: colours.red('✖'),
} as const satisfies Record<RolloutStatus['phase'], string>;

export const FINDING_GLYPHS = {
  worse: colours.red('✖'),
  nonInferior: colours.green('✔'),
  undecided: colours.yellow('?'),
} as const satisfies Record<MetricStatus['finding'], string>;

const FINDINGS = {
  worse: colours.red('✖ worse'),
  nonInferior: colours.green('✔ no worse'),
  undecided: colours.yellow('? undecided'),
} as const satisfies Record<MetricStatus['finding'], string>;

const BETTER = colours.green('✔ better');

type Metric = RolloutStatus['metrics'][number];

type Facts = readonly (readonly string[])[];

/** What a rollout waits for stands in at most so many lines; all of it is in the table and in JSON. */
const WAITS_LINES_MAX = 2;
const WHY_LINES_MAX = 20;

export type RolloutViewOptions = {
  /** Of the terminal; by default 80. */
  readonly columns?: number | undefined;
  /** More columns of each metric. */
  readonly isWide?: boolean;
};

/** A rollout as text for so many columns: its state, its evidence, and what it waits for. */
export function formatRollout(
  status: RolloutStatus,
  { columns = COLUMNS, isWide = false }: RolloutViewOptions = {},
): string {
  const facts = [
    ['Name:', status.id],
    [
      'Model:',
      `${status.model}  ${status.stable} (stable) -> ${status.candidate} (candidate)  ${status.intent}${status.claim === 'superior' ? ', superior' : ''}`,
    ],
    ['Status:', `${PHASE_GLYPHS[status.phase]} ${status.phase}`],
    ['Step:', stepText(status)],
    ['Weight:', `set ${percent(status.setWeightBp)}, actual ${percent(status.actualWeightBp)}`],
    ['Mirror:', mirrorText(status)],
    ...mirrorFault(status),
    ['Labels:', labelsText(status)],
    ...anchorFacts(status),
    ...failureFacts(status),
    ...(status.maxSamples === undefined
      ? []
      : [['Maximum:', `${countText(status.maxSamples)} samples of a metric (maxSamples)`]]),
    ['Age:', `${ageText(status.durationMs)} of at most ${durationText(status.maxDurationMs)}`],
    ['Record:', `${status.record}  ${status.headHash.slice(0, 16)}`],
    ...ledgerFacts(status),
  ];
  const namesWidth = Math.max(...facts.map(([name = '']) => name.length)) + COLUMN_GAP;
  const rules = status.metrics.flatMap(ruleLines);
  const must = rules.length === 0 ? '' : `\nEach must show:\n${rules.join('\n')}\n`;
  const effects = status.reported.flatMap(({ label, effect }) =>
    effect === undefined ? [] : `  ${label}: ${effectText({ effect })}`,
  );
  const reported = effects.length === 0 ? '' : `\nOnly reported:\n${effects.join('\n')}\n`;
  return `${formatTable([...facts, ...whyFacts(status, columns - namesWidth)])}\n\n${formatTable(metricRows(status, isWide))}\n${must}${reported}`;
}

function whyFacts({ endedMs, why }: RolloutStatus, columns: number): Facts {
  const linesMax = endedMs === undefined ? WAITS_LINES_MAX : WHY_LINES_MAX;
  const [first = '', ...rest] = wrappedTo(why, columns, linesMax);
  const name = endedMs === undefined ? 'Waits:' : 'Why:';
  return [[name, first], ...rest.map((line) => ['', line])];
}

function mirrorFault({ mirrorHealth }: RolloutStatus): readonly (readonly string[])[] {
  return mirrorHealth?.why === undefined ? [] : [['', colours.red(mirrorHealth.why)]];
}

/** Worth a line only where the ledger takes no records. */
function ledgerFacts({ ledger, onRecord }: RolloutStatus): readonly (readonly string[])[] {
  if (ledger === 'healthy' && onRecord) return [];
  const end = onRecord ? '' : '; that the rollout has ended is not on record yet';
  return [['Ledger:', `${colours.red(ledger)}${end}`]];
}

function metricRows(
  { metrics, reported }: RolloutStatus,
  isWide: boolean,
): readonly (readonly string[])[] {
  const heading = ['METRIC', 'STATUS', 'SAMPLES', 'BAD cand/ref', 'MEASURED', 'LIMIT', 'TO GO'];
  return [
    [...heading, ...(isWide ? WIDE : [])].map((cell) => colours.bold(cell)),
    ...metrics.map((metric) => [
      metric.label,
      metric.superior === true ? BETTER : FINDINGS[metric.finding],
      countText(metric.samples),
      `${countText(metric.candidateEvents)}/${countText(metric.referenceEvents)}`,
      numberText(metric.estimate),
      numberText(metric.limit),
      toGo(metric),
      ...(isWide ? wideCells(metric) : []),
    ]),
    ...reported.map((metric) => [
      metric.label,
      '· reported',
      countText(metric.samples),
      `${countText(metric.candidateEvents)}/${countText(metric.referenceEvents)}`,
      numberText(metric.estimate),
      '-',
      'decides nothing',
    ]),
  ];
}

/** E-values are logarithms, with the threshold that proves. */
const WIDE = ['ROLE', 'HARM', 'SAFE', 'INTERVAL'];

function wideCells(metric: Metric): readonly string[] {
  const { role, logHarm, logHarmNeeded, logSafe, logSafeNeeded, effect } = metric;
  const of = (value: number, needed: number): string => `${value.toFixed(2)}/${needed.toFixed(2)}`;
  return [
    role,
    of(logHarm, logHarmNeeded),
    of(logSafe, logSafeNeeded),
    effect === undefined ? '-' : `${numberText(effect.lower)}..${numberText(effect.upper)}`,
  ];
}

/** Sentences would make the table wider than a terminal. */
function ruleLines(metric: Metric): readonly string[] {
  const { label, margin, finding, missing } = metric;
  const isMissing = finding === 'undecided' && missing !== undefined;
  const shown = [effectText(metric), provenText(metric)].filter((text) => text !== undefined);
  return [
    `  ${label}: ${margin}`,
    ...(shown.length > 0 ? [`    ${shown.join('; ')}`] : []),
    ...(isMissing ? [`    ${missing}`] : []),
  ];
}

const UNITS = {
  meanDifference: 'difference',
  rateDifference: 'difference of the rates',
  slowerShare: 'share of slower pairs',
} as const satisfies Record<Effect['unit'], string>;

/** `difference -0.0242, with 95 % between -0.061 and 0.012`. */
function effectText({ effect }: Pick<Metric, 'effect'>): string | undefined {
  if (effect === undefined) return undefined;
  const [low, high] = [effect.lower, effect.upper].map(numberText);
  const confidence = `${chosenText(100 * effect.confidence)} %`;
  return `${UNITS[effect.unit]} ${numberText(effect.estimate)}, with ${confidence} between ${low} and ${high}`;
}

/** `proven so far: 0.0126`, or the ratio and the absolute rate of a live claim. */
function provenText({ proven }: Metric): string | undefined {
  if (proven === undefined) return undefined;
  const { margin } = proven;
  const text =
    typeof margin === 'number'
      ? numberText(margin)
      : `${numberText(margin.ratio)} x reference, ${numberText(100 * margin.absolute)} %`;
  return `smallest margin proven so far ${text}`;
}

function toGo(metric: MetricStatus): string {
  if (metric.finding !== 'undecided') return '';
  if (metric.missing !== undefined) return 'see below';
  if (metric.role === 'reject') return 'can only reject';
  if (isNumber(metric.msToGo)) return `~${durationText(metric.msToGo)}`;
  return isNumber(metric.samplesToGo) ? `~${countText(metric.samplesToGo)}` : 'cannot say';
}

/** Bounds of intervals may be closer to 0 than is of use. */
const LEAST_SHOWN = 1e-6;

function numberText(value: number | undefined): string {
  if (!isNumber(value)) return '-';
  return (Math.abs(value) < LEAST_SHOWN ? 0 : value).toPrecision(3);
}

/** A ratio to nothing is infinite here and null once it has come through JSON: neither is a number to show. */
function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function stepText({ step }: RolloutStatus): string {
  return step === undefined ? '-' : `${step.number}/${step.of}  ${step.task}`;
}

function mirrorText({ mirror }: RolloutStatus): string {
  const drops = Object.entries(mirror.dropped).map(
    ([reason, count]) => `${reason} ${countText(count)}`,
  );
  const sampled = mirror.eligible - mirror.notSampled;
  if (sampled === 0) return `nothing sampled of ${countText(mirror.eligible)} eligible`;
  const share = tenthsText(mirror.compared / sampled);
  const lost = [`timed out ${mirror.timedOut}`, `failed ${mirror.failed}`, ...drops].join(', ');
  return `${share} of ${countText(sampled)} sampled were compared (${lost})`;
}

/** What is judged on labels holds for the answers that got one: the view shows how many did. */
function labelsText({ labels, labelling, mirror }: RolloutStatus): string {
  const { joined, unmatched } = labels;
  const share = joined === 0 ? '' : ` (${tenthsText(joined / mirror.compared)} of the compared)`;
  return `${countText(joined)} joined${share}, ${countText(unmatched)} unmatched${waitText(labelling)}`;
}

/** Of what labels cannot prove yet, or never will. */
function waitText(labelling: RolloutStatus['labelling']): string {
  if (labelling === undefined) return '';
  const { waiting, late, dropped, labelled, neither } = labelling;
  const parts = [
    waiting > 0 ? `${countText(waiting)} pairs wait for their window to end` : '',
    late > 0 ? `${countText(late)} late` : '',
    dropped > 0 ? `${countText(dropped)} pairs dropped (labels.storeMax)` : '',
    ...statesText(labelling.states),
    labelsMatchNeither(labelling)
      ? `${countText(neither)} of ${countText(labelled)} equal neither version's answer`
      : '',
  ];
  return parts.map((part) => (part === '' ? '' : `, ${part}`)).join('');
}

/** Labels that came in and count for nothing more, and those that count against any proof. */
function statesText(states: LabelCounts = {}): readonly string[] {
  const named = [
    ['conflicting', 'conflicting (the worst case each)'],
    ['notComparable', 'for requests that were not comparable'],
    ['notSampled', 'for requests that were not sampled'],
    ['duplicate', 'sent again'],
    ['ambiguous', 'with an ambiguous id'],
    ['unknown', 'for unknown requests'],
  ] as const;
  return named.flatMap(([state, text]) => {
    const count = states[state] ?? 0;
    return count === 0 ? [] : [`${countText(count)} ${text}`];
  });
}

/** `1 (stable at the first rollout): 0.0090 of an allowed loss of 0.0200 used`. */
function anchorFacts({ anchor }: RolloutStatus): Facts {
  if (anchor === undefined) return [];
  const { version, by, why, spent, allowed } = anchor;
  const { loss, unmeasured } = spent;
  const whence = by === 'person' ? `set by hand: ${why}` : why;
  const more =
    unmeasured === 0 ? '' : `, besides ${counted(unmeasured, 'unmeasured change')} of stable`;
  const used = `${numberText(loss)} of an allowed loss of ${numberText(allowed)} used${more}`;
  return [['Anchor:', `${version} (${whence}): ${used}`], ...heldFacts(anchor.held)];
}

const NO_CLAIM = {
  off: 'no claim is made against it: anchor.share is 0',
  unlabelled: 'no claim is made against it: no analysis names labelledLoss',
} as const;

type Held = NonNullable<NonNullable<RolloutStatus['anchor']>['held']>;

/** `it answered 1,204 pairs, and 3 not; the candidate differs from it on 2.3 %`, and why it does not, in red. */
function heldFacts(held: Held | undefined): Facts {
  if (held === undefined) return [];
  const { claim, state } = held;
  const seen = claim === 'off' ? NO_CLAIM.off : answersText(held);
  return [
    ['', claim === 'unlabelled' ? `${seen}; ${NO_CLAIM.unlabelled}` : seen],
    ...(state?.kind === 'failed' ? [['', colours.red(`it cannot run: ${state.reason}`)]] : []),
    ...(state?.kind === 'loading' ? [['', 'it is being loaded']] : []),
  ];
}

function answersText({ answered, failed, disagreement }: Held): string {
  const pairs = `it answered ${countText(answered)} pairs, and ${countText(failed)} not`;
  if (!isNumber(disagreement)) return pairs;
  return `${pairs}; the candidate differs from it on ${percentText(disagreement)}`;
}

/** Worth a line only where an arm failed: its failed requests by kind. */
function failureFacts({ failures }: RolloutStatus): readonly (readonly string[])[] {
  const arms = [
    ['candidate', failures?.candidate],
    ['reference', failures?.reference],
  ] as const;
  const texts = arms.flatMap(([arm, counts]) => {
    const kinds = Object.entries(counts ?? {}).map(([kind, n]) => `${kind} ${countText(n)}`);
    return kinds.length === 0 ? [] : [`${arm} ${kinds.join(', ')}`];
  });
  return texts.length === 0 ? [] : [['Failures:', texts.join('; ')]];
}

function percent(bp: number | undefined): string {
  return bp === undefined ? '-' : tenthsText(bp / 10_000);
}
