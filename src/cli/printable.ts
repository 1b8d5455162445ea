/**
 * What a terminal, an editor or an eye would take for something else than a character of the text: control characters, which
 * move the cursor or set the window's title, and format characters, which turn the direction of reading or cannot be seen. The two
 * joiners stay: scripts need them.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const KEPT: ReadonlySet<string> = new Set(['\u200c', '\u200d']);
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A text from outside as it may be shown in one line: what is unprintable becomes its escape, `\u001b`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (found) => SHORT[found] ?? escapeOf(found));
}

/** Whether a text is shown in one line as it is. */
export function isPrintable(text: string): boolean {
  return printable(text) === text;
}

/** As `printable`, for texts of several lines: line ends stay. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** JSON that says the same in characters that may be shown. */
export function printableJson(json: string): string {
  return printableLines(json);
}

/** The same data with every text in it printable, names of fields as well. Only plain objects and lists are looked into. */
export function printableData<T>(data: T): T {
  return copyOf(data) as T;
}

function copyOf(data: unknown): unknown {
  if (typeof data === 'string') return printable(data);
  if (Array.isArray(data)) return data.map(copyOf);
  if (typeof data !== 'object' || data === null) return data;
  const prototype: unknown = Object.getPrototypeOf(data);
  if (prototype !== Object.prototype && prototype !== null) return data;
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [printable(name), copyOf(value)]),
  );
}

/** Beyond the first 65,536 characters JSON knows only pairs. */
function escapeOf(found: string): string {
  if (KEPT.has(found)) return found;
  return Array.from({ length: found.length }, (_, at) => {
    return `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`;
  }).join('');
}
