import type { ExampleView } from '../console/example-routes.ts';
import { mebibytesText } from '../core/text.ts';
import type { Said, SaidOutput } from '../examples/said.ts';
import { colours } from './colours.ts';
import { formatTable } from './table.ts';

/** An answer of `GET .../examples`. */
export type ListedExamples = {
  readonly keep: string;
  readonly bytes: number;
  readonly bytesMax: number;
  readonly lost: number;
  readonly examples: readonly ExampleView[];
};

const CELL_LENGTH_MAX = 40;

/** A row for each: what stable said, what the candidate said, in which slice, when. */
export function formatExamples(
  { examples, keep, bytes, bytesMax, lost }: ListedExamples,
  isWide: boolean,
): string {
  if (examples.length === 0) return whyNone(keep, bytes);
  const wide = ['ROLLOUT', 'DISTANCE', 'KEPT FOR', 'BODY'];
  const heading = ['ID', 'TIME', 'DIFFERENCE', 'SCORE', 'STABLE', 'CANDIDATE', 'SLICE'];
  const table = formatTable([
    [...heading, ...(isWide ? wide : [])].map(colours.bold),
    ...examples.map((each) => [
      each.id,
      timeText(each.atMs),
      each.difference,
      each.score === undefined ? '-' : each.score.toFixed(2),
      saidText(each.said.stable),
      saidText(each.said.candidate),
      pairsText(each.attributes),
      ...(isWide
        ? [
            each.rolloutId,
            pairsText(each.distances ?? {}),
            each.keptFor.join(', '),
            each.body === undefined ? (each.bodyLeftOut ?? '-') : 'kept',
          ]
        : []),
    ]),
  ]);
  const room = `${mebibytesText(bytes)} of ${mebibytesText(bytesMax)} used`;
  const losses = lost > 0 ? `; ${lost} could not be kept since the gateway started` : '';
  return `${table}\n\nkeep: ${keep}, ${room}${losses}`;
}

function whyNone(keep: string, bytes: number): string {
  if (keep === 'off') return 'No examples are kept: models.<model>.examples.keep is off.';
  return bytes > 0
    ? 'None of the kept examples fits. Where no answers differ, the random sample has some: understudy examples list MODEL --order random'
    : 'No examples. They are kept during a rollout, of requests that are mirrored.';
}

/** All that is known of one, a line each. */
export function formatExample(each: ExampleView): string {
  const { said, versions, body } = each;
  const inputs = body?.request.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape}]`);
  return formatTable([
    ['id', each.id],
    ['rollout', `${each.rolloutId}, ${versions.stable} -> ${versions.candidate}`],
    ['request', each.requestId],
    ['time', new Date(each.atMs).toISOString()],
    ['slice', pairsText(each.attributes)],
    ['difference', `${each.difference}${each.score === undefined ? '' : `, score ${each.score}`}`],
    ['distances', pairsText(each.distances ?? {})],
    ['kept for', each.keptFor.join(', ')],
    [`stable ${versions.stable}`, saidText(said.stable, Infinity)],
    [`candidate ${versions.candidate}`, saidText(said.candidate, Infinity)],
    ['inputs', inputs?.join(', ') ?? each.bodyLeftOut ?? 'not kept'],
    ...(each.redacted.length > 0 ? [['redacted', each.redacted.join(', ')]] : []),
  ]);
}

/** `coat (0.75)`, `[1, 2.5, ...]`, or why there is no answer. */
export function saidText(said: Said, lengthMax = CELL_LENGTH_MAX): string {
  const text =
    said.kind === 'failure'
      ? `${said.code}: ${said.message}`
      : said.outputs.map((output) => outputText(output, said.outputs.length > 1)).join('; ');
  return text.length <= lengthMax ? text || '-' : `${text.slice(0, lengthMax - 4).trimEnd()} ...`;
}

function outputText({ name, top, first = [] }: SaidOutput, isNamed: boolean): string {
  const start = isNamed ? `${name} ` : '';
  if (top === undefined) return `${start}[${first.map(valueText).join(', ')}]`;
  const row = top.row > 0 ? `row ${top.row}: ` : '';
  return `${start}${row}${top.label ?? `class ${top.class}`} (${valueText(top.score)})`;
}

function valueText(value: number | string): string {
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : value;
}

function pairsText(pairs: Readonly<Record<string, string | number>>): string {
  const texts = Object.entries(pairs).map(([name, value]) => `${name}=${valueText(value)}`);
  return texts.join(', ') || '-';
}

/** `11-30 21:48:07Z`. */
function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(5, 19).replace('T', ' ')}Z`;
}
