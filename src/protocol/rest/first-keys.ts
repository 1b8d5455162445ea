/** An object or array that the scan is inside of. */
type Container = {
  readonly isObject: boolean;
  keys: Set<string> | undefined;
  /** Where its last comma was. */
  comma: number;
};

/**
 * The text of a JSON value without members whose key an object has had before: of several the first counts, as it does with Triton,
 * where JSON.parse takes the last. For text that is JSON.
 */
export function withFirstKeys(text: string): string {
  const scan = new Scan(text);
  for (let at = 0; at < text.length; at += 1) {
    const mark = text[at];
    if (mark === '"') at = scan.passString(at);
    else if (mark === '{' || mark === '[') scan.enter(mark === '{', at);
    else if (mark === '}' || mark === ']') scan.leave(at);
    else if (mark === ',') scan.passComma(at);
  }
  return scan.result();
}

class Scan {
  readonly #text: string;
  readonly #open: Container[] = [];
  readonly #kept: string[] = [];
  #keptFrom = 0;
  #awaitsKey = false;
  /** The object whose member is being left out. */
  #cut: Container | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** Returns the place of the closing quote. */
  passString(open: number): number {
    const close = closingQuote(this.#text, open);
    const object = this.#open.at(-1);
    if (this.#awaitsKey && object !== undefined && this.#cut === undefined) {
      const key = keyOf(this.#text.slice(open, close + 1));
      object.keys ??= new Set();
      if (object.keys.has(key)) this.#cut = object;
      object.keys.add(key);
    }
    this.#awaitsKey = false;
    return close;
  }

  enter(isObject: boolean, at: number): void {
    this.#open.push({ isObject, keys: undefined, comma: at });
    this.#awaitsKey = isObject;
  }

  leave(at: number): void {
    this.#endCut(at);
    this.#open.pop();
    this.#awaitsKey = false;
  }

  passComma(at: number): void {
    this.#endCut(at);
    const inside = this.#open.at(-1);
    if (inside === undefined) return;
    inside.comma = at;
    this.#awaitsKey = inside.isObject;
  }

  result(): string {
    return this.#kept.join('') + this.#text.slice(this.#keptFrom);
  }

  /** A second member of a key has a comma before it, which goes with it. */
  #endCut(at: number): void {
    if (this.#cut === undefined || this.#cut !== this.#open.at(-1)) return;
    this.#kept.push(this.#text.slice(this.#keptFrom, this.#cut.comma));
    this.#keptFrom = at;
    this.#cut = undefined;
  }
}

function closingQuote(text: string, open: number): number {
  for (
    let close = text.indexOf('"', open + 1);
    close !== -1;
    close = text.indexOf('"', close + 1)
  ) {
    let backslashes = 0;
    while (text[close - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return close;
  }
  return text.length;
}

function keyOf(quoted: string): string {
  return quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}
