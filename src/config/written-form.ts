/** What YAML reads otherwise than it is written, or than it was meant: looked for in the text, as values do not show it. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
} from 'yaml';

/** A problem at an offset into the text. */
export type FormProblem = {
  readonly offset: number;
  readonly path: readonly string[];
  readonly message: string;
};

/** Keys of a model's section whose values are versions. */
const VERSION_KEYS = ['stable', 'version'];

/**
 * Merge keys, keys that would be lost, and names of versions or other keys that YAML takes for a number of another form:
 * `1.0`, `010`, `1e3` and `0x10` are the folders 1, 10, 1000 and 16.
 */
export function problemsOfForm(document: Document): readonly FormProblem[] {
  const problems: FormProblem[] = [];
  checkNode(document.contents, [], { document, problems });
  return problems;
}

type Walk = { readonly document: Document; readonly problems: FormProblem[] };

/** An alias is checked where its anchor is. */
function checkNode(node: unknown, path: readonly string[], walk: Walk): void {
  if (isMap(node)) {
    for (const pair of node.items) checkPair(pair, path, walk);
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      checkNode(item, [...path, String(index)], walk);
    }
  } else if (isScalar(node) && isVersion(path) && hasOtherForm(node)) {
    walk.problems.push({ offset: startOf(node), path, message: quote('a version', node) });
  }
}

function checkPair({ key, value }: Pair, path: readonly string[], walk: Walk): void {
  const named = isAlias(key) ? key.resolve(walk.document) : key;
  const name = nameOf(named);
  const inside = [...path, name];
  const message = isScalar(named) ? keyProblem(named, name) : 'expected a key in one word';
  if (message !== undefined) {
    walk.problems.push({ offset: startOf(key as Node), path: inside, message });
    return;
  }
  checkNode(value, inside, walk);
}

function keyProblem(key: Scalar, name: string): string | undefined {
  if (key.type === 'PLAIN' && key.source === '<<') {
    return 'expected keys written out, found a merge key (<<), which is not read';
  }
  if (name === '__proto__') return 'expected another name: no section may be called "__proto__"';
  return hasOtherForm(key) ? quote('a name', key) : undefined;
}

function nameOf(key: unknown): string {
  return isScalar(key) ? (key.source ?? String(key.value)) : 'a section';
}

function isVersion([root, , ...inside]: readonly string[]): boolean {
  if (root !== 'models') return false;
  return VERSION_KEYS.includes(inside.at(-1) ?? '') || inside.at(-2) === 'versions';
}

/** True where the value's own text is not what is written: not for text, which stays as it is. */
function hasOtherForm({ value, source }: Scalar): boolean {
  return typeof value !== 'string' && source !== undefined && String(value) !== source;
}

function quote(what: string, { value, source }: Scalar): string {
  return `expected ${what} in quotes, found ${source}, which YAML reads as ${value}. Write "${source}"`;
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}
