import { messageOf } from '../core/errors.ts';
import { AdminClient, type GatewayOptions, modelPath } from './admin-client.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { print, readFormat } from './output.ts';
import { printableLines } from './printable.ts';
import { writeOut } from './standard-output.ts';
import { formatTable } from './table.ts';

type Common = GatewayOptions & { readonly output: string };

type Asked = { readonly lease: string; readonly limit: string };

export type NextOptions = Common & Asked;

export type ExportOptions = NextOptions & { readonly format: string };

/** A label that is wanted, as the gateway hands it out. */
type Wanted = {
  readonly token: string;
  readonly requestId: string;
  readonly askedAt: string;
  readonly until: string;
  readonly leasedUntil?: string | undefined;
  readonly slices: readonly string[];
};

type WantedLabels = {
  readonly wanted: number;
  readonly leased: number;
  readonly labels: readonly Wanted[];
};

type Answered = { readonly state: string; readonly why: string };

const TASK_FORMATS = ['jsonl', 'csv', 'label-studio'] as const;

type TaskFormat = (typeof TASK_FORMATS)[number];

/** `understudy labels next`. */
export async function next(model: string, options: NextOptions): Promise<void> {
  const format = readFormat(options.output);
  await print(await wantedOf(model, options), format, formatWanted);
}

/** `understudy labels answer`. */
export async function answer(
  given: { readonly model: string; readonly token: string; readonly label: string },
  options: Common,
): Promise<void> {
  const format = readFormat(options.output);
  const { model, token, label } = given;
  const body = { token, label: readLabel(label) };
  const answered = (await new AdminClient(options).post(
    `${modelPath(model)}/labels`,
    body,
  )) as Answered;
  await print(answered, format, ({ state, why }) => `${state}: ${why}`);
}

/** `understudy labels export`: one task each, on standard output. */
export async function exportTasks(model: string, options: ExportOptions): Promise<void> {
  const format = TASK_FORMATS.find((name) => name === options.format);
  if (format === undefined) {
    const expected = `--format: expected ${TASK_FORMATS.join(', ')}, found "${options.format}"`;
    throw new CommandError(EXIT.usage, expected);
  }
  const { labels } = await wantedOf(model, options);
  writeOut(printableLines(tasksOf(model, labels)[format]()));
}

async function wantedOf(model: string, { lease, limit, ...options }: NextOptions) {
  const query = new URLSearchParams({ lease, limit });
  const keys = ['wanted', 'leased', 'labels'];
  const path = `${modelPath(model)}/labels/next?${query}`;
  return (await new AdminClient(options).get(path, keys)) as WantedLabels;
}

/** What is JSON is taken as such: `3`, `[1, 2]`, `"3"`. Anything else is a class name. */
function readLabel(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (/^\s*[[{"]/.test(text)) {
      const message = `label: expected a class name or JSON, found ${text} (${messageOf(error)})`;
      throw new CommandError(EXIT.usage, message, { cause: error });
    }
    return text;
  }
}

function formatWanted({ wanted, leased, labels }: WantedLabels, isWide: boolean): string {
  const rows = labels.map(({ requestId, askedAt, until, slices, token }) => [
    requestId,
    askedAt,
    until,
    slices.join(' '),
    ...(isWide ? [token] : []),
  ]);
  const heading = ['REQUEST', 'ASKED', 'UNTIL', 'SLICES', ...(isWide ? ['TOKEN'] : [])];
  const count = `${wanted} labels are wanted, ${leased} of them were handed out before.`;
  return labels.length === 0 ? count : `${formatTable([heading, ...rows])}\n\n${count}`;
}

/** The tasks in each form, each line ended. */
function tasksOf(model: string, labels: readonly Wanted[]): Record<TaskFormat, () => string> {
  const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');
  return {
    jsonl: () => lines(labels.map((each) => JSON.stringify({ model, ...each }))),
    csv: () =>
      lines([
        'token,label,requestId,askedAt,until',
        ...labels.map(({ token, requestId, askedAt, until }) =>
          [token, '', requestId, askedAt, until].map(quoted).join(','),
        ),
      ]),
    'label-studio': () => {
      const tasks = labels.map((each, at) => ({ id: at + 1, data: { model, ...each } }));
      return `${JSON.stringify(tasks, undefined, 2)}\n`;
    },
  };
}

/** RFC 4180. A value that a spreadsheet would take for a formula does not occur: all of them are of the gateway's own making. */
function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
