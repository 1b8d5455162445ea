import type { Document, Node, Pair } from 'yaml';
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type * as z from 'zod';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { formatPath, type Issue, issuesOf } from './issues.ts';
import { problemsOfForm } from './written-form.ts';

export type YamlFile = {
  /** The name for messages. */
  readonly file: string;
  readonly text: string;
};

/** A file's content: as parsed by its schema, and as the user wrote it. */
export type YamlContent<T> = { readonly data: T; readonly source: unknown };

/**
 * Reads YAML through a schema.
 *
 * @throws ConfigError with every problem: those of the syntax, or else those of the values and of what YAML would change in them.
 */
export function parseYamlFile<Schema extends z.ZodType>(
  source: YamlFile,
  schema: Schema,
): z.output<Schema> {
  return readYaml(source, schema).data;
}

/** As `parseYamlFile`, and the values as written. */
export function readYaml<Schema extends z.ZodType>(
  { file, text }: YamlFile,
  schema: Schema,
): YamlContent<z.output<Schema>> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  // A warning is about a part that would be read otherwise than it was meant, an unknown tag for instance.
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0) {
    throw new ConfigError(
      syntax.map(({ pos, message }) => ({
        ...at(pos[0]),
        path: '',
        message: firstLine(message),
      })),
    );
  }
  const source = plainValue(document, file);
  const form = problemsOfForm(document);
  const result = schema.safeParse(source);
  if (result.success && form.length === 0) return { data: result.data, source };
  const issues = (result.error === undefined ? [] : issuesOf(result.error)).map((issue) => ({
    offset: offsetOf(document, issue),
    path: issue.path,
    message: issue.message,
  }));
  // The value is another than the one that is written: what its schema says of it would mislead.
  const meant = issues.filter(({ offset }) => form.every((problem) => problem.offset !== offset));
  const problems = [...form, ...meant].map(
    ({ offset, path, message }): ConfigProblem => ({
      ...at(offset),
      path: formatPath(path),
      message,
    }),
  );
  throw new ConfigError(problems.sort((a, b) => a.line - b.line || a.column - b.column));
}

export type Place = { readonly line: number; readonly column: number };

/** Where in a file a path is, or the nearest part of it that is written; undefined where not even its first key is. */
export function placeIn({ text }: YamlFile, path: readonly string[]): Place | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [first = ''] = path;
  if (childOf(document.contents, first) === undefined) return undefined;
  const { line, col } = lines.linePos(offsetOf(document, { path, message: '', onKey: false }));
  return { line, column: col };
}

/** Aliases are expanded with a bound, so that a small file cannot fill the memory. */
function plainValue(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([{ file, line: 1, column: 1, path: '', message }], { cause });
  }
}

/** Where in the text an issue is: at its key or value, or at the nearest parent that is written. */
function offsetOf(document: Document, { path, onKey }: Issue): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, segment] of path.entries()) {
    const child = childOf(isAlias(node) ? node.resolve(document) : node, segment);
    if (child === undefined) return offset;
    const keyOffset = isPair(child) ? startOf(child.key) : undefined;
    node = isPair(child) ? child.value : child;
    const wantsKey = onKey && depth === path.length - 1;
    offset = (wantsKey ? keyOffset : (writtenStart(node) ?? keyOffset)) ?? offset;
  }
  return offset;
}

function childOf(node: unknown, segment: string | number): Pair | Node | undefined {
  if (isMap(node)) {
    return node.items.find(
      ({ key }) => String(isScalar(key) ? key.value : key) === String(segment),
    );
  }
  const item = isSeq(node) ? node.items[Number(segment)] : undefined;
  return isNode(item) ? item : undefined;
}

/** An empty value has a place but no text: its key is the better place to point at. */
function writtenStart(node: unknown): number | undefined {
  return isScalar(node) && node.value === null && !node.source ? undefined : startOf(node);
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message;
}
