/** Labels of a model. A million would be no classes any more. */
export const LABELS_MAX = 100_000;
const LABEL_LENGTH_MAX = 512;

/**
 * Labels as exporters write them into a model: a list or a dictionary by number, in JSON or as Python prints it, else a label a
 * line, or with commas between them. A number that is left out has an empty label.
 *
 * @throws Error that says what was expected and what was found.
 */
export function parseLabels(text: string): readonly string[] {
  const trimmed = text.trim();
  const labels = /^[[{(]/.test(trimmed) ? new Literal(trimmed).labels() : plain(trimmed);
  checkLabels(labels);
  return labels;
}

/** Throws an Error for labels that must be a mistake: none, too many, too long, or with control characters. */
export function checkLabels(labels: readonly string[]): void {
  if (labels.length === 0) throw new Error('expected labels, found none');
  checkCount(labels.length);
  labels.forEach((label, at) => {
    if (label.length > LABEL_LENGTH_MAX) {
      throw new Error(
        `label ${at}: expected at most ${LABEL_LENGTH_MAX} characters, found ${label.length}`,
      );
    }
    if (/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(label)) {
      throw new Error(`label ${at}: expected text in one line, found control characters`);
    }
  });
}

function checkCount(count: number): void {
  if (count > LABELS_MAX) throw new Error(`expected at most ${LABELS_MAX} labels, found more`);
}

function plain(text: string): readonly string[] {
  const lines = text.split(/\r?\n/);
  checkCount(lines.length);
  const labels = lines.length > 1 ? lines : text.split(',');
  // The number of classes stands in such places too.
  if (labels.length < 2) throw new Error('expected a list of labels, found one word');
  return labels.map((label) => label.trim());
}

const TOKEN =
  /\s*(?:(?<sign>[[\](){},:])|"(?<double>(?:\\[\s\S]|[^"\\])*)"|'(?<single>(?:\\[\s\S]|[^'\\])*)'|(?<number>-?\d+))/y;

type Token = { readonly kind: 'sign' | 'text' | 'number'; readonly text: string };

const CLOSING: Readonly<Record<string, string>> = { '[': ']', '(': ')', '{': '}' };

/** A list or a dictionary of texts and whole numbers, one level deep. */
class Literal {
  readonly #text: string;
  readonly #token = new RegExp(TOKEN);

  constructor(text: string) {
    this.#text = text;
  }

  labels(): readonly string[] {
    const { text: opening } = this.#next();
    const labels = new Map<number, string>();
    for (let token = this.#next(); token.text !== CLOSING[opening]; token = this.#next()) {
      if (token.kind === 'sign') throw this.#unexpected(token.text);
      const at = opening === '{' ? this.#key(token) : labels.size;
      labels.set(at, opening === '{' ? this.#value() : token.text);
      checkCount(at + 1);
      const after = this.#next();
      if (after.text === CLOSING[opening]) break;
      if (after.text !== ',') throw this.#unexpected(after.text);
    }
    if (this.#token.lastIndex < this.#text.length) throw this.#unexpected('more behind the end');
    let length = 0;
    for (const at of labels.keys()) length = Math.max(length, at + 1);
    return Array.from({ length }, (_, at) => labels.get(at) ?? '');
  }

  #key({ text }: Token): number {
    if (!/^\d{1,9}$/.test(text)) throw new Error(`expected a class by its number, found ${text}`);
    if (this.#next().text !== ':') throw this.#unexpected('a key without a value');
    return Number(text);
  }

  #value(): string {
    const token = this.#next();
    if (token.kind === 'sign') throw this.#unexpected(token.text);
    return token.text;
  }

  #next(): Token {
    const groups = this.#token.exec(this.#text)?.groups;
    if (!groups) throw this.#unexpected('something else');
    const { sign, double, single, number } = groups;
    if (sign !== undefined) return { kind: 'sign', text: sign };
    if (number !== undefined) return { kind: 'number', text: number };
    return { kind: 'text', text: unescaped(double ?? single ?? '') };
  }

  #unexpected(found: string): Error {
    return new Error(
      `expected a list or a dictionary of texts, found ${found} at character ${this.#token.lastIndex + 1}`,
    );
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

function unescaped(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[\s\S])/g, (_, code: string) =>
    code.length > 1
      ? String.fromCharCode(Number.parseInt(code.slice(1), 16))
      : (ESCAPES[code] ?? code),
  );
}
