import t from 'tap';
import { aGateway } from './a-gateway.ts';
import { alertRules } from './alert-rules.ts';
import { checkBlock } from './check-block.ts';
import { blocksOf, codeIn, readPage, sectionsOf, tableRows } from './page.ts';
import { noShell } from './shell.ts';

const FILE = 'docs/operations/alerts.md';
const PAGE = readPage(FILE);

/** The parts of a runbook, in their order. */
const PARTS = ['Meaning', 'Look', 'Do'];

/** The commands of the program, as their page has them (which a test compares with `--help`), with their options. */
const COMMANDS = new Map(
  sectionsOf(readPage('docs/reference/cli.md')).flatMap(({ heading, text }) => {
    const name = codeIn(heading)?.replace(/ [<[].*$/, '');
    const flags = tableRows(text, 'option').flatMap(
      ([cell]) => codeIn(cell)?.match(/-{1,2}[\w-]+/g) ?? [],
    );
    return name === undefined ? [] : [[name, new Set(flags)] as const];
  }),
);

t.test('each alert leads to its runbook, and each runbook is that of an alert', async (t) => {
  const sections = sectionsOf(PAGE).map(({ heading }) => heading);
  t.same(
    sections,
    alertRules().map(({ alert }) => alert),
    `the sections of ${FILE} are the alerts of deploy/prometheus/alerts.yaml, in its order: write the missing section`,
  );
  for (const { alert, annotations } of alertRules())
    t.equal(annotations['runbook'], `${FILE}#${alert.toLowerCase()}`, `runbook of ${alert}`);
});

t.test('each runbook says what the alert means, where to look and what to do', async (t) => {
  for (const { heading, text } of sectionsOf(PAGE)) {
    const parts = [...text.matchAll(/^(\w+)(?:, by `\w+`|, by cause)?[ :(]/gm)].map(
      ([, word]) => word,
    );
    t.same(
      parts.filter((word) => PARTS.includes(word ?? '')),
      PARTS,
      heading,
    );
    t.ok(blocksOf(text).length > 0, `${heading} has commands`);
  }
});

t.test('each command of a runbook exists, with its options', async (t) => {
  const commands = commandsIn(PAGE);
  t.ok(commands.length > 30, `${commands.length} commands`);
  for (const command of commands) t.equal(wrongIn(command), '', `${FILE}: ${command}`);
  t.match(wrongIn('understudy rollout pause fashion'), /no command/);
  t.match(wrongIn('understudy rollout get fashion --why'), /--why/);
});

t.test(
  'each command that only looks is answered while a rollout runs',
  { skip: noShell ?? false },
  async (t) => {
    const gateway = await aGateway();
    t.teardown(() => gateway.close());
    const rollout = `http://127.0.0.1:${gateway.adminPort}/api/v1/models/fashion/rollout`;
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ candidate: '2' });
    const started = await fetch(rollout, { method: 'POST', headers, body });
    t.ok(started.ok, await started.text());
    const looks = blocksOf(PAGE).filter(({ info }) => info === 'sh');
    const distinct = [...new Map(looks.map((block) => [block.text, block])).values()];
    t.ok(distinct.length > 5, `${distinct.length} blocks`);
    for (const block of distinct) await checkBlock(t, { page: FILE, block, gateway });
  },
);

/** The commands of the program in the blocks of a page and in its text. */
function commandsIn(page: string): readonly string[] {
  const blocks = blocksOf(page).flatMap(({ text }) => text.split('\n'));
  const inline = [...page.matchAll(/`(understudy [^`]+)`/g)].map(([, command = '']) => command);
  return [...blocks, ...inline].filter((line) => line.startsWith('understudy '));
}

/** What of a command does not exist; empty: nothing. */
function wrongIn(line: string): string {
  const words = line.replaceAll(/'[^']*'/g, 'text').split(' ');
  if (words[1] === '--version') return '';
  const name = [3, 2]
    .map((count) => words.slice(0, count).join(' '))
    .find((each) => COMMANDS.has(each));
  if (name === undefined) return `no command ${words.slice(0, 3).join(' ')}`;
  return words.filter((word) => word.startsWith('-') && !COMMANDS.get(name)?.has(word)).join();
}
