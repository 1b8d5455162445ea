import { type PbtxtToken, tokensOf } from './pbtxt-tokens.ts';

/** Where in a `config.pbtxt` a field stands; lines and columns count from 1. */
export type PbtxtPlace = { readonly line: number; readonly column: number };

type Field = {
  /** Dotted: `input.data_type`. */
  readonly path: string;
  /** Numbers the messages on the first level, to distinguish one input from another. */
  readonly block: number;
  readonly at: number;
  /** What is written for it, without quotes; empty where that is no single value. */
  value: string;
};

/**
 * The place of what a message about a configuration speaks of: `input "x": ...`, `label_filename of output "y": ...`, or a
 * dotted field and a colon. Undefined where the text has no such field. The text must be one that could be parsed.
 */
export function placeOf(text: string, message: string): PbtxtPlace | undefined {
  const fields = fieldsOf(text);
  const at = namedAt(fields, message) ?? fieldAt(fields, message);
  if (at === undefined) return undefined;
  const before = text.slice(0, at);
  return {
    line: before.split('\n').length,
    column: at - before.lastIndexOf('\n'),
  };
}

function namedAt(fields: readonly Field[], message: string): number | undefined {
  const match = /^(?:(\w+) of )?(input|output|model_warmup) "([^"]*)"(?:: (\w+):)?/.exec(message);
  if (!match) return undefined;
  const [, before, kind, name, after] = match;
  const named = fields.find(({ path, value }) => path === `${kind}.name` && value === name);
  const part = fields.find(
    ({ path, block }) => block === named?.block && path === `${kind}.${before ?? after}`,
  );
  return (part ?? named)?.at;
}

function fieldAt(fields: readonly Field[], message: string): number | undefined {
  const path = /^([\w.]+):/.exec(message)?.[1];
  return fields.find((each) => each.path === path)?.at;
}

type Level = { readonly path: string; readonly isList: boolean };

/** Every field in the order in which they are written. */
function fieldsOf(text: string): readonly Field[] {
  const reader = new FieldReader();
  for (const token of tokensOf(text)) reader.take(token);
  return reader.fields;
}

class FieldReader {
  readonly fields: Field[] = [];
  readonly #levels: Level[] = [];
  /** The field whose value comes next. */
  #open: Field | undefined;
  #hasColon = false;
  #block = 0;

  take({ text, at }: PbtxtToken): void {
    if (text === ':') this.#hasColon = true;
    else if (/^[{<]$/.test(text)) this.#enter(false);
    else if (text === '[' && this.#open) this.#enter(true);
    else if (/^[}>\]]$/.test(text)) this.#levels.pop();
    else if (/^["'\w+-]/.test(text)) this.#word(text, at);
  }

  #enter(isList: boolean): void {
    const path = this.#open?.path ?? this.#levels.at(-1)?.path ?? '';
    if (!isList && this.#levels.every((level) => level.isList)) this.#block += 1;
    this.#levels.push({ path, isList });
    this.#open = undefined;
  }

  #word(text: string, at: number): void {
    const level = this.#levels.at(-1);
    if (level?.isList) return;
    if (this.#open && this.#hasColon) {
      this.#open.value = text.replace(/^["']|["']$/g, '');
      this.#open = undefined;
      return;
    }
    const path = level ? `${level.path}.${text}` : text;
    this.#open = { path, block: this.#block, at, value: '' };
    this.#hasColon = false;
    this.fields.push(this.#open);
  }
}
