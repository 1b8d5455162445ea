import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { EXIT } from '../../src/cli/exit-code.ts';
import { codeIn, readPage, sectionsOf, tableRows } from './page.ts';

const run = promisify(execFile);
const MAIN = path.join(import.meta.dirname, '../../src/cli/main.js');
const PAGE = readPage('docs/reference/cli.md');

/** What `--help` says of one command. */
type Help = {
  /** `rollout get <model>`. */
  readonly name: string;
  readonly options: readonly { readonly flags: string; readonly text: string }[];
};

/** All commands that do something, with what `--help` says of each. */
async function helpOf(words: readonly string[]): Promise<readonly Help[]> {
  // As wide as it takes for no description to be broken.
  const { stdout } = await run(process.execPath, [MAIN, ...words, '--help'], {
    env: { COLUMNS: '1000' },
  });
  const usage = /^Usage: understudy ?(.*)$/m.exec(stdout)?.[1] ?? '';
  const name = usage.replace(/ ?\[options\] ?(\[command\])?/, words.length > 0 ? ' ' : '').trim();
  const inner = await Promise.all(
    entriesOf(stdout, 'Commands')
      .map(({ flags }) => flags.split(' ')[0] ?? '')
      .filter((word) => word !== 'help')
      .map((word) => helpOf([...words, word])),
  );
  const options = entriesOf(stdout, 'Options').filter(({ flags }) => flags !== '-h, --help');
  const isGroup = inner.length > 0 && words.length > 0 && options.length === 0;
  return [...(isGroup ? [] : [{ name, options }]), ...inner.flat()];
}

function entriesOf(help: string, part: string): Help['options'] {
  const text = help.split(`${part}:\n`)[1]?.split('\n\n')[0] ?? '';
  return text
    .split('\n')
    .map((line) => /^ {2}(\S.*?) {2,}(.*)$/.exec(line))
    .flatMap((match) => (match ? [{ flags: match[1] ?? '', text: match[2] ?? '' }] : []));
}

t.test('commands, options and defaults are those of the program', async (t) => {
  const commands = await helpOf([]);
  const program = commands.find(({ name }) => name === '');
  const before = PAGE.split(/^## /m)[0] ?? '';
  t.same(
    tableRows(before, 'option').map(([cell]) => codeIn(cell)),
    program?.options.map(({ flags }) => flags),
    'options of the program',
  );
  const sections = new Map(
    sectionsOf(PAGE).map(({ heading, text }) => [
      codeIn(heading)?.replace('understudy ', '') ?? heading,
      tableRows(text, 'option'),
    ]),
  );
  const shared = tableRows(before, 'shared option');
  const others = commands.filter(({ name }) => name !== '');
  t.same(
    [...sections.keys()],
    others.map(({ name }) => name).sort(inOrderOf([...sections.keys()])),
  );
  for (const { name, options } of others) {
    const own = sections.get(name) ?? [];
    const has = new Set(options.map(({ flags }) => flags));
    const rows = [...own, ...shared.filter(([cell]) => has.has(codeIn(cell) ?? ''))];
    t.same(
      rows.map(([cell]) => codeIn(cell)),
      options.map(({ flags }) => flags).sort(inOrderOf(rows.map(([cell]) => codeIn(cell) ?? ''))),
      name,
    );
    for (const { flags, text } of options) {
      const row = rows.find(([cell]) => codeIn(cell) === flags);
      const standard = /\(default: "(.*)"\)$/.exec(text)?.[1];
      if (standard !== undefined) t.equal(row?.[1], `\`${standard}\``, `${name} ${flags}`);
    }
  }
  for (const [cell] of shared) {
    const having = others.filter(({ options }) =>
      options.some(({ flags }) => flags === codeIn(cell)),
    );
    t.ok(having.length > 1, `${cell} is shared`);
  }
});

t.test('every exit code is documented, and no other', async (t) => {
  const codes = tableRows(PAGE, 'exit code').map(([cell]) => Number(cell));
  t.same(codes, Object.values(EXIT));
});

t.test(
  'what cannot be understood, and a gateway that is not there, have their exit codes',
  async (t) => {
    const codeOf = async (...words: string[]): Promise<unknown> => {
      const failed = await run(process.execPath, [MAIN, ...words]).catch((error: unknown) => error);
      return (failed as { code?: unknown }).code;
    };
    const nobody = ['--admin', 'http://127.0.0.1:9'];
    t.same(
      await Promise.all([
        codeOf('rollout', 'gett'),
        codeOf('rollout', 'get', 'fashion', ...nobody),
        codeOf('evidence', 'verify', '/no/such/folder'),
      ]),
      [EXIT.usage, EXIT.unreachable, EXIT.usage],
    );
  },
);

/** Sorts by the page, so that what is missing or new shows and the order of the page is its own. */
function inOrderOf(names: readonly string[]): (a: string, b: string) => number {
  return (a, b) => names.indexOf(a) - names.indexOf(b);
}
