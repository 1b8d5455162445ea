import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { projectRoot } from '../support/project-root.ts';

const page = (name: string): string => readFileSync(path.join(projectRoot, name), 'utf8');

/** How far the lines of a row may be from those of its files: it is not worth a change each time. */
const OFF_MAX = 0.25;

type Row = { readonly what: string; readonly lines: number };

const rows = page('CONTRIBUTING.md')
  .split('## Hand-written code')[1]
  ?.split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(([, what = '']) => what.includes('`src/'))
  .map(([, what = '', lines = '']): Row => ({ what, lines: Number(lines.replace(',', '')) }));

/** The files that a row names; a star stands for any part of a name. */
function filesOf({ what }: Row): readonly string[] {
  const patterns = [...what.matchAll(/`(src\/[^`]+)`/g)].map(([, pattern = '']) => pattern);
  return patterns.flatMap((pattern) => {
    const { dir, base } = path.posix.parse(pattern);
    const name = new RegExp(`^${base.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
    const found = readdirSync(path.join(projectRoot, dir)).filter((each) => name.test(each));
    if (found.length === 0) throw new Error(`${pattern}: expected files, found none`);
    return found.map((each) => `${dir}/${each}`);
  });
}

t.test(
  'the hand-written code that CONTRIBUTING lists is there, in about as many lines',
  async (t) => {
    t.ok((rows?.length ?? 0) > 10, `${rows?.length} rows`);
    for (const row of rows ?? []) {
      const found = filesOf(row).reduce((sum, file) => sum + page(file).split('\n').length - 1, 0);
      const off = Math.abs(found - row.lines) / found;
      t.ok(off <= OFF_MAX, `${row.what}: ${row.lines} lines on the page, ${found} in the files`);
    }
  },
);
