import t from 'tap';
import { aGateway } from './a-gateway.ts';
import { startRollout } from './a-rollout.ts';
import { alertRules } from './alert-rules.ts';
import { checkBlock } from './check-block.ts';
import { commandsIn, wrongIn } from './commands.ts';
import { blocksOf, readPage, sectionsOf } from './page.ts';
import { noShell } from './shell.ts';

const FILE = 'docs/operations/alerts.md';
const PAGE = readPage(FILE);

/** The parts of a runbook, in their order. */
const PARTS = ['Meaning', 'Look', 'Do'];

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
  t.match(wrongIn('understudy rollout undone fashion'), /no command/);
  t.match(wrongIn('understudy rollout get fashion --why'), /--why/);
});

t.test(
  'each command that only looks is answered while a rollout runs',
  { skip: noShell ?? false },
  async (t) => {
    const gateway = await aGateway();
    t.teardown(() => gateway.close());
    await startRollout(gateway);
    const looks = blocksOf(PAGE).filter(({ info }) => info === 'sh');
    const distinct = [...new Map(looks.map((block) => [block.text, block])).values()];
    t.ok(distinct.length > 5, `${distinct.length} blocks`);
    for (const block of distinct) await checkBlock(t, { page: FILE, block, gateway });
  },
);
