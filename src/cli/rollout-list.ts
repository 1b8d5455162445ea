import { ANONYMOUS } from '../core/entrance.ts';
import { ageText, counted, tenthsText } from '../core/text.ts';
import type { RolloutStatus } from '../rollout/status.ts';
import type { RolloutPage, RolloutSummary } from '../rollout/summary.ts';
import { AdminClient, type GatewayOptions, modelPath } from './admin-client.ts';
import { colours } from './colours.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { print, readFormat } from './output.ts';
import { FINDING_GLYPHS, PHASE_GLYPHS } from './rollout-view.ts';
import { formatTable } from './table.ts';

type Common = GatewayOptions & { readonly output: string };
type Listed = { readonly rollouts: readonly RolloutStatus[] };

/** `understudy rollout list`: the latest rollout of each model, a line each. */
export async function list(options: Common): Promise<void> {
  const format = readFormat(options.output);
  const client = new AdminClient(options);
  const answer = (await client.get('/api/v1/rollouts?latest=true', ['rollouts'])) as Listed;
  await print(answer, format, formatList);
}

export function formatList({ rollouts }: Listed, isWide: boolean): string {
  if (rollouts.length === 0)
    return 'No rollouts yet. "understudy rollout start <model> <candidate>" begins one.';
  const heading = ['MODEL', 'VERSIONS', 'STATUS', 'STEP', 'WEIGHT', 'AGE'];
  const wide = ['ID', 'INTENT', 'METRICS', 'LEDGER'];
  return formatTable([
    [...heading, ...(isWide ? wide : []), 'WAITS FOR'].map(colours.bold),
    ...rollouts.map((status) => [
      status.model,
      `${status.stable} -> ${status.candidate}`,
      `${PHASE_GLYPHS[status.phase]} ${status.phase}`,
      status.step === undefined ? '-' : `${status.step.number}/${status.step.of}`,
      weightText(status),
      ageText(status.durationMs),
      ...(isWide
        ? [status.id, status.intent, metricsText(status), status.ledger.split(' ')[0] ?? '']
        : []),
      shortened(status.why, isWide),
    ]),
  ]);
}

/** `10 %`, or `10 % (9.8 %)` where traffic shows another share than was set. */
function weightText({ setWeightBp, actualWeightBp }: RolloutStatus): string {
  const set = tenthsText(setWeightBp / 10_000);
  if (actualWeightBp === undefined || actualWeightBp === setWeightBp) return set;
  return `${set} (${tenthsText(actualWeightBp / 10_000)})`;
}

/** `✔4 ?1`: metrics by their finding. */
function metricsText({ metrics }: RolloutStatus): string {
  const kinds = ['nonInferior', 'worse', 'undecided'] as const;
  const texts = kinds.flatMap((kind) => {
    const count = metrics.filter(({ finding }) => finding === kind).length;
    return count === 0 ? [] : [`${FINDING_GLYPHS[kind]}${count}`];
  });
  return texts.join(' ') || '-';
}

/** A sentence of a table with one line for each: the rest of it is in the wide table and in JSON. */
const WHY_LENGTH_MAX = 60;

function shortened(text: string, isWhole: boolean): string {
  if (isWhole || text.length <= WHY_LENGTH_MAX) return text;
  return `${text.slice(0, WHY_LENGTH_MAX - 4).trimEnd()} ...`;
}

export type HistoryOptions = Common & { readonly limit: string; readonly before?: string };

/** `understudy rollout history`: the rollouts of a model, newest first. */
export async function history(model: string, options: HistoryOptions): Promise<void> {
  const format = readFormat(options.output);
  const page = await pageOf(model, options);
  await print(page, format, (shown, isWide) => formatHistory(shown, { model, isWide }));
}

async function pageOf(model: string, options: HistoryOptions): Promise<RolloutPage> {
  const limit = Number(options.limit);
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= 50)) {
    const message = `--limit: expected a whole number from 1 to 50, found "${options.limit}"`;
    throw new CommandError(EXIT.usage, message);
  }
  const before =
    options.before === undefined ? '' : `&before=${encodeURIComponent(options.before)}`;
  return readPage(new AdminClient(options), model, `?limit=${limit}${before}`);
}

/** A page of a model's rollouts; `query` says which. */
export async function readPage(
  client: AdminClient,
  model: string,
  query: string,
): Promise<RolloutPage> {
  const path = `${modelPath(model)}/rollouts${query}`;
  return (await client.get(path, ['rollouts', 'older'])) as RolloutPage;
}

type Shown = { readonly model: string; readonly isWide: boolean };

export function formatHistory({ rollouts, next, older }: RolloutPage, shown: Shown): string {
  const { model, isWide } = shown;
  if (rollouts.length === 0) return `No rollouts of ${model} yet.`;
  const heading = ['ROLLOUT', 'VERSIONS', 'STATUS', 'VERDICT', 'DECIDED BY', 'STARTED', 'TOOK'];
  const table = formatTable([
    [...heading, ...(isWide ? ['RECORD', 'HASH', 'WHY'] : [])].map(colours.bold),
    ...rollouts.map((rollout) => [
      rollout.id,
      `${rollout.stable} -> ${rollout.candidate}`,
      `${PHASE_GLYPHS[rollout.phase]} ${rollout.phase}`,
      rollout.verdict ?? '-',
      decidedBy(rollout),
      minuteText(rollout.startedMs),
      ageText(rollout.durationMs),
      ...(isWide ? [String(rollout.record), rollout.headHash.slice(0, 16), rollout.why] : []),
    ]),
  ]);
  const more =
    next === undefined ? [] : [`More: understudy rollout history ${model} --before ${next}`];
  const left =
    older === 0
      ? []
      : [
          `${counted(older, 'older rollout')} in the ledger: understudy evidence export <ledger> <rollout>`,
        ];
  return [table, ...more, ...left].join('\n');
}

/** `pairedErrors, errors`, `operator: wrong build`, `key:ops: wrong build`, or what else ended it. */
function decidedBy({ endedBy, by, decidedBy: names, why }: RolloutSummary): string {
  switch (endedBy) {
    case undefined:
      return '-';
    case 'evidence':
      return names.join(', ') || 'every gating metric';
    case 'command':
      return `${callerText(by)}: ${shortened(why, false)}`;
    case 'limit':
    case 'fault':
    case 'webhook':
      return names.join(', ') || endedBy;
    default:
      return endedBy;
  }
}

/** `key:ops`, where the gateway asks callers who they are. */
function callerText(by: RolloutSummary['by']): string {
  return by === undefined || by.caller === ANONYMOUS ? 'operator' : by.caller;
}

/** `2026-11-30 21:48Z`. */
function minuteText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}
