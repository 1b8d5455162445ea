import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** What every run goes through; what decides, and what it imports, among it. */
const OF_ALL_RUNS = ['simulate.js', 'understudy.js'].map((file) =>
  path.join(import.meta.dirname, file),
);

/**
 * Digests of the code that runs depend on: by the file of a world, of that file, the simulation, the rule, and everything that they
 * import. Runs of two digests are not added up. Comments count for nothing, and neither do the page and its tables.
 */
export class CodeDigests {
  /** By file: its code, and the files that it imports. */
  readonly #read = new Map<string, Promise<Code>>();

  async of(file: string): Promise<string> {
    const hash = createHash('sha256');
    for (const each of await this.files(file)) {
      hash.update(path.relative(ROOT, each)).update((await this.#code(each)).text);
    }
    return hash.digest('hex').slice(0, 16);
  }

  /** The files that a digest is of, sorted. */
  async files(file: string): Promise<readonly string[]> {
    const files = new Set([...OF_ALL_RUNS, file]);
    // A set that is iterated comes to what is added meanwhile.
    for (const each of files) {
      for (const imported of (await this.#code(each)).imports) files.add(imported);
    }
    return [...files].sort();
  }

  #code(file: string): Promise<Code> {
    const known = this.#read.get(file);
    if (known !== undefined) return known;
    const read = readFile(file, 'utf8').then((text) => codeOf(file, text));
    this.#read.set(file, read);
    return read;
  }
}

type Code = { readonly text: string; readonly imports: readonly string[] };

const COMMENTS = /^\s*(?:\/\*[\s\S]*?\*\/|\/\/.*)\s*$/gm;
const BLANK_LINES = /^\s*\n/gm;
const IMPORTS = /^(?:import|export|\})[^'"]*['"](\.[^'"]+)['"];?$/gm;

function codeOf(file: string, text: string): Code {
  const code = text.replace(COMMENTS, '').replace(BLANK_LINES, '');
  const imports = [...code.matchAll(IMPORTS)].map(([, from = '']) =>
    path.join(path.dirname(file), from),
  );
  return { text: code, imports };
}
