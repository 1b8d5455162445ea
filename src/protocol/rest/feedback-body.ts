import { messageOf, ServeError } from '../../core/errors.ts';
import type { LabelTarget } from '../../core/label-source.ts';
import { parseJson } from './json-text.ts';

/** A label is a name, a number or a short list; an item that brings more has gone to the wrong address. */
const ITEM_BYTES_MAX = 65_536;

/** Of one call: what is read at once, some 10 ms. Files of labels are sent in several calls. */
const BATCH_BYTES_MAX = 1_048_576;
const BATCH_ITEMS_MAX = 1_000;

/** JSON lines, by the names that are in use. */
const JSON_LINES = /^application\/(x-ndjson|ndjson|jsonl|x-jsonlines|jsonlines)\b/i;

const LINE_END = 10;
const LIST_START = 91;

export type FeedbackItems = {
  /** Each to be read with `itemOf`; a line that is not JSON is one whose reading throws. */
  readonly items: readonly unknown[];
  /** An array or lines, though it may hold one item or none. */
  readonly isBatch: boolean;
};

/** The items of a body. @throws ServeError `invalid_input`, or `too_large` where nothing of it is taken. */
export function feedbackItems(body: unknown, contentType: string | undefined): FeedbackItems {
  if (!Buffer.isBuffer(body)) throw invalid('expected a JSON object, found no body');
  const isLines = JSON_LINES.test(contentType ?? '');
  const isList = !isLines && body.find((byte) => byte > 32) === LIST_START;
  if (!isLines && !isList) {
    checkBytes(body.byteLength, ITEM_BYTES_MAX, 'item');
    return { items: [parseJson(body)], isBatch: false };
  }
  checkBytes(body.byteLength, BATCH_BYTES_MAX, 'call');
  const items = isLines ? linesOf(body) : (parseJson(body) as readonly unknown[]);
  if (items.length > BATCH_ITEMS_MAX) throw tooLarge(`${BATCH_ITEMS_MAX} items`, items.length);
  const isSmall = body.byteLength <= ITEM_BYTES_MAX;
  return { items: isLines || isSmall ? items : items.map(measured), isBatch: true };
}

/**
 * The request that an item is for, and its label.
 * @throws ServeError `invalid_input` or `too_large`, or what its reading threw.
 */
export function itemOf(item: unknown): LabelTarget & { readonly label: unknown } {
  if (item instanceof ServeError) throw item;
  if (typeof item !== 'object' || item === null || Array.isArray(item))
    throw invalid('expected a JSON object with token or id, and label, found none');
  const { token, id, model, label } = item as Readonly<Record<string, unknown>>;
  if (label === undefined || label === null) throw invalid('expected a label, found none');
  if (token !== undefined && id !== undefined)
    throw invalid('expected token or id, found both: a token names its request alone');
  if (id === undefined) {
    if (typeof token === 'string') return { token, label };
    throw invalid(`expected token to be a string, or id and model, found ${typeof token}`);
  }
  if (typeof id !== 'string' || id === '')
    throw invalid(`expected id to be the text that the request had as its id, found ${kindOf(id)}`);
  if (typeof model !== 'string' || model === '')
    throw invalid(`expected model to be the name of the model beside id, found ${kindOf(model)}`);
  return { id, model, label };
}

/** In the place of a line that cannot be read stands why. Empty lines are none. */
function linesOf(body: Buffer): readonly unknown[] {
  const items: unknown[] = [];
  for (let start = 0; start < body.byteLength; ) {
    const found = body.indexOf(LINE_END, start);
    const end = found === -1 ? body.byteLength : found;
    const line = body.subarray(start, end);
    if (line.some((byte) => byte > 32)) items.push(readLine(line));
    // What is over the limit is refused as a whole: reading on would only take time.
    if (items.length > BATCH_ITEMS_MAX) throw tooLarge(`${BATCH_ITEMS_MAX} items`, 'more');
    start = end + 1;
  }
  return items;
}

function readLine(line: Buffer): unknown {
  try {
    checkBytes(line.byteLength, ITEM_BYTES_MAX, 'item');
    return parseJson(line);
  } catch (thrown) {
    return thrown instanceof ServeError ? thrown : invalid(messageOf(thrown));
  }
}

/** In the place of an item that is too long stands why. */
function measured(item: unknown): unknown {
  try {
    checkBytes(Buffer.byteLength(JSON.stringify(item)), ITEM_BYTES_MAX, 'item');
    return item;
  } catch (thrown) {
    return thrown instanceof ServeError ? thrown : invalid(messageOf(thrown));
  }
}

function checkBytes(found: number, max: number, of: 'item' | 'call'): void {
  if (found <= max) return;
  throw tooLarge(of === 'call' ? `${max} bytes` : `${max} bytes for one label`, found);
}

function tooLarge(expected: string, found: number | string): ServeError {
  return new ServeError(
    'too_large',
    `unexpected feedback: expected at most ${expected}, found ${found}. Send many labels in several calls`,
  );
}

function kindOf(value: unknown): string {
  return value === '' ? 'an empty text' : value === undefined ? 'none' : typeof value;
}

function invalid(detail: string): ServeError {
  return new ServeError('invalid_input', `unexpected feedback: ${detail}`);
}
