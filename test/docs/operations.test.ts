import { readdirSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { projectRoot } from '../support/project-root.ts';
import { aGateway } from './a-gateway.ts';
import { startRollout } from './a-rollout.ts';
import { commandsIn, wrongIn } from './commands.ts';
import { blocksOf, readPage } from './page.ts';
import { noShell, runBlock } from './shell.ts';

const FOLDER = 'docs/operations';
const PAGES = readdirSync(path.join(projectRoot, FOLDER)).filter((file) => file.endsWith('.md'));

/** The blocks `sh` of these are run; those of the runbooks have a test of their own. */
const RUN = ['install.md', 'upgrade.md', 'capacity.md'];

t.test('each page is on the first one', async (t) => {
  const first = readPage(`${FOLDER}/README.md`);
  for (const page of PAGES.filter((name) => name !== 'README.md'))
    t.ok(first.includes(`](${page})`), `${FOLDER}/README.md links to ${page}`);
});

t.test('each command of a page exists, with its options', async (t) => {
  for (const page of PAGES)
    for (const command of commandsIn(readPage(`${FOLDER}/${page}`)))
      t.equal(wrongIn(command), '', `${page}: ${command}`);
});

t.test(
  'each command for a gateway that runs is answered',
  { skip: noShell ?? false },
  async (t) => {
    const gateway = await aGateway();
    t.teardown(() => gateway.close());
    await startRollout(gateway);
    for (const page of RUN) {
      const blocks = blocksOf(readPage(`${FOLDER}/${page}`)).filter(({ info }) => info === 'sh');
      t.ok(blocks.length > 0, page);
      for (const { text, line } of blocks) {
        const { code, out, errors } = await runBlock(text, gateway, 120_000);
        // A load may warn that its figures are invalid where tests keep the machine busy.
        const isFine = code === 0 || /see the warnings/.test(out);
        t.ok(isFine, `${page}:${line}: ${(out + errors).slice(0, 400)}`);
      }
    }
  },
);
