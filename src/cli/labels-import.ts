import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../core/errors.ts';
import type { LabelBatchAnswer } from '../core/label-state.ts';
import { expectPrivate, readApiCredential } from './api-credential.ts';
import { type Answer, exchange } from './exchange.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { type LabelLine, labelLines } from './label-lines.ts';
import { type Progress, ProgressFile } from './label-progress.ts';
import { print, readFormat } from './output.ts';
import { formatTable } from './table.ts';
import { readTlsFiles, type TlsFileOptions } from './tls-files.ts';

export type ImportOptions = TlsFileOptions & {
  readonly url: string;
  readonly model?: string;
  readonly apiKeyFile?: string;
  readonly allowPlaintext?: boolean;
  readonly output: string;
};

/** Half of what a call may bring, so that names of models beside ids fit in. */
const BATCH_ITEMS = 500;
const BATCH_CHARACTERS = 500_000;

const CALL_MS_MAX = 30_000;

/** A gateway that restarts is back by then. */
const TRIES = 8;
const WAIT_MS = 500;
const WAIT_MS_MAX = 15_000;

/** Lines with problems that are shown. */
const SHOWN_MAX = 10;

type Result = {
  readonly counts: Readonly<Record<string, number>>;
  readonly problems: readonly { readonly line: number; readonly why: string }[];
};

/** `understudy labels import`: sends the labels of a file in calls of a bounded size, and goes on where an earlier import stopped. */
export async function importLabels(file: string, options: ImportOptions): Promise<void> {
  const format = readFormat(options.output);
  const send = sender(options);
  const progress = new ProgressFile(file);
  const began = await progress.read().catch((error: unknown) => {
    throw new CommandError(EXIT.usage, messageOf(error), { cause: error });
  });
  const sum = new Sum(began);
  for await (const batch of batchesOf(labelLines(file, options.model), began.line)) {
    await sendBatch(batch, sum, send);
    await progress.write(sum.progress());
  }
  await progress.remove();
  await print(sum.result(), format, textOf);
  if ((sum.result().counts['refused'] ?? 0) > 0) process.exitCode = EXIT.failed;
}

/** What became of the labels so far. */
class Sum {
  readonly #counts: Map<string, number>;
  readonly #problems: { line: number; why: string }[] = [];
  #line: number;

  constructor({ line, counts }: Progress) {
    this.#counts = new Map(Object.entries(counts));
    this.#line = line;
  }

  add(line: number, state: string, why: string): void {
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + 1);
    if (state === 'refused' && this.#problems.length < SHOWN_MAX)
      this.#problems.push({ line, why });
  }

  reached(line: number): void {
    this.#line = line;
  }

  progress(): Progress {
    return { line: this.#line, counts: Object.fromEntries(this.#counts) };
  }

  result(): Result {
    return { counts: Object.fromEntries(this.#counts), problems: this.#problems };
  }
}

async function* batchesOf(
  lines: AsyncIterable<LabelLine>,
  after: number,
): AsyncGenerator<readonly LabelLine[]> {
  let batch: LabelLine[] = [];
  let characters = 0;
  for await (const each of lines) {
    if (each.line <= after) continue;
    batch.push(each);
    characters += JSON.stringify(each.item ?? '').length;
    if (batch.length < BATCH_ITEMS && characters < BATCH_CHARACTERS) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}

type Send = (items: readonly unknown[]) => Promise<Answer>;

/** Sends those again that came too fast, until all are answered. */
async function sendBatch(batch: readonly LabelLine[], sum: Sum, send: Send): Promise<void> {
  for (const { line, problem } of batch)
    if (problem !== undefined) sum.add(line, 'refused', problem);
  let left = batch.filter(({ item }) => item !== undefined);
  for (let tries = 1; left.length > 0; tries += 1) {
    const { items, waitMs } = await attempt(left, send, tries);
    const again = left.filter((_, at) => {
      const answer = items[at];
      return answer === undefined || ('code' in answer && answer.code === 'overloaded');
    });
    for (const [at, { line }] of left.entries()) {
      const answer = items[at];
      if (answer !== undefined && !again.some((each) => each.line === line))
        sum.add(line, answer.state, answer.why);
    }
    // Progress is a try of its own kind: a gateway that takes some each time is not given up.
    if (again.length < left.length) tries = 0;
    left = again;
    if (left.length > 0) await pause(waitMs);
  }
  sum.reached(batch.at(-1)?.line ?? 0);
}

type Attempt = { readonly items: LabelBatchAnswer['items']; readonly waitMs: number };

/** One call. No items: it is to be made again. */
async function attempt(left: readonly LabelLine[], send: Send, tries: number): Promise<Attempt> {
  const backOffMs = Math.min(WAIT_MS_MAX, WAIT_MS * 2 ** (tries - 1));
  let why: string;
  let waitMs = backOffMs;
  try {
    const answer = await send(left.map(({ item }) => item));
    waitMs = Math.min(WAIT_MS_MAX, answer.retryAfterMs ?? backOffMs);
    if (answer.status === 200) {
      const { items } = JSON.parse(answer.text) as LabelBatchAnswer;
      if (tries < TRIES || items.some(({ state }) => state !== 'refused')) return { items, waitMs };
    }
    why = `status ${answer.status}: ${answer.text.slice(0, 200)}`;
    if (![200, 429, 503].includes(answer.status)) throw new CommandError(EXIT.failed, stopped(why));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    why = messageOf(error);
  }
  if (tries >= TRIES) throw new CommandError(EXIT.unreachable, stopped(why));
  return { items: [], waitMs };
}

function stopped(why: string): string {
  return `the labels were not all taken: ${why}. Run the command again to go on where it stopped`;
}

function sender({ url, apiKeyFile, allowPlaintext, ...files }: ImportOptions): Send {
  const address = addressOf(url);
  const isSecure = address.protocol === 'https:';
  const tls = readTlsFiles(files, { isSecure, address: address.href });
  const credential = readApiCredential(apiKeyFile);
  if (credential !== undefined)
    expectPrivate({ host: address.hostname.replace(/^\[|\]$/g, ''), isSecure }, allowPlaintext);
  const headers: Readonly<Record<string, string>> =
    credential === undefined ? {} : { authorization: `Bearer ${credential}` };
  const path = `${address.href.replace(/\/$/, '')}/v1/feedback`;
  return (body) => exchange({ method: 'POST', url: path, headers, tls, body, msMax: CALL_MS_MAX });
}

function addressOf(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address !== undefined && /^https?:$/.test(address.protocol)) return address;
  throw new CommandError(
    EXIT.usage,
    `--url: expected an http:// or https:// address, found "${url}"`,
  );
}

function textOf({ counts, problems }: Result): string {
  const rows = Object.entries(counts).map(([state, count]) => [state, `${count}`]);
  const notes = problems.map(({ line, why }) => `line ${line}: ${why}`);
  const table = formatTable([['STATE', 'LABELS'], ...rows]);
  return [table, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}
